"""SES: one message, one attempt."""

from collections.abc import Mapping

from chalicelib.aws import clients
from chalicelib.ports import MailDelayed, MailRefused

_REFUSED = {"MessageRejected", "BadRequestException", "MailFromDomainNotVerifiedException"}
_QUOTA = "Daily message quota exceeded"


class SesMailer:
    """SES behind a configuration set, whose events tell of deliveries and bounces."""

    def __init__(self, configuration_set: str) -> None:
        self.configuration_set = configuration_set

    def send(self, raw: bytes, *, sender: str, to: str, tags: Mapping[str, str]) -> str:
        """The message id of what was accepted.

        `MailRefused`: this message never will be. `MailDelayed`: not now, by rate, quota, pause or
        outage. A time-out is `MailDelayed` and `uncertain`: the SES event decides before it is sent
        again.
        """
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            ReadTimeoutError,
        )

        try:
            answer = clients.client("sesv2").send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": [to]},
                Content={"Raw": {"Data": raw}},
                ConfigurationSetName=self.configuration_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSED:
                raise MailRefused(code) from error
            quota = _QUOTA in error.response["Error"].get("Message", "")
            raise MailDelayed(code, quota=quota) from error
        except (ReadTimeoutError, ConnectionClosedError) as error:
            raise MailDelayed(type(error).__name__, uncertain=True) from error
        except BotoCoreError as error:
            raise MailDelayed(type(error).__name__) from error
        message_id: str = answer["MessageId"]
        return message_id
