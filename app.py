"""Duly's functions: the routes behind the gateway, and the handlers of what happens by itself.

A handler loads what it works with when it is called: no request waits for it at a start.
"""

import gc
from typing import TYPE_CHECKING, Any

import msgspec
from chalice import Chalice, Cron, Rate

from chalicelib import log, wiring
from chalicelib.clients.routes import routes as clients
from chalicelib.complaints.answer_routes import routes as answers
from chalicelib.complaints.paper_routes import routes as case_papers
from chalicelib.complaints.public import routes as form
from chalicelib.complaints.routes import routes as complaints
from chalicelib.consents.list_routes import routes as lists
from chalicelib.consents.preferences_public import routes as preferences
from chalicelib.consents.public import routes as links
from chalicelib.consents.routes import routes as declarations
from chalicelib.consents.scan_routes import routes as scans
from chalicelib.consents.standing_routes import routes as standings
from chalicelib.contact.routes import routes as contact
from chalicelib.erasure.routes import routes as erasures
from chalicelib.exports.routes import routes as exports
from chalicelib.files import routes as files
from chalicelib.information import service as published
from chalicelib.information.routes import routes as information
from chalicelib.letters.routes import routes as letters
from chalicelib.organisations.routes import routes as organisations
from chalicelib.portability.routes import routes as portability
from chalicelib.statistics.routes import routes as statistics

if TYPE_CHECKING:
    from chalicelib.agenda import Run

BLUEPRINTS = (
    organisations,
    clients,
    declarations,
    standings,
    scans,
    lists,
    exports,
    files,
    letters,
    contact,
    links,
    preferences,
    erasures,
    portability,
    complaints,
    answers,
    form,
    statistics,
    case_papers,
    information,
)

app = Chalice(app_name="duly", configure_logs=False)
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)
# Complaints tell what information publishes, and neither knows the other.
wiring.tell_elsewhere(by=published.elsewhere)
# What is loaded stays: the collections that the first request sets off need not look through it,
# which takes a tenth of a cold start (`make bench`).
gc.freeze()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: Any) -> dict[str, Any]:
    """Work off the agenda; alone it is enough to get everything done."""
    from chalicelib import agenda

    left = event.context.get_remaining_time_in_millis
    return _told("agenda_run", agenda.run_due(wiring.ports(), agenda.Budget(left=left)))


@app.schedule(Rate(1, unit=Rate.MINUTES), name="heavy_tick")
def heavy_tick(event: Any) -> dict[str, Any]:
    """Work off what takes memory and time, such as scans, turn by turn."""
    from chalicelib import agenda
    from chalicelib.aws import ledger

    left = event.context.get_remaining_time_in_millis
    ports = msgspec.structs.replace(wiring.ports(), shards=ledger.HEAVY_SHARDS)
    return _told("heavy_run", agenda.run_on(ports, agenda.Budget(left=left)))


@app.lambda_function(name="letters")
def deliver_letters(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Letters promised a moment ago, from the table's stream; what fails waits for the tick."""
    from chalicelib import agenda
    from chalicelib.aws import ledger

    budget = agenda.Budget(left=context.get_remaining_time_in_millis)
    return _told("letters_run", agenda.hand_over(wiring.ports(), ledger.promised_in(event), budget))


@app.on_cw_event({"source": ["aws.ses"]}, name="mail_events")
def mail_events(event: Any) -> None:
    """Deliveries, bounces and complaints."""
    from chalicelib import agenda

    log.info("mail_event", outcome=agenda.on_mail_event(wiring.ports(), event.detail))


@app.lambda_function(name="inbound_mail")
def inbound_mail(event: dict[str, Any], context: Any) -> None:
    """An e-mail that came in; without a key, each that still waits."""
    from chalicelib.complaints import mail

    mail.handle(wiring.ports(), event, context.get_remaining_time_in_millis)


@app.schedule(Rate(90, unit=Rate.DAYS), name="rotate_link_keys")
def rotate_link_keys(event: Any) -> None:
    """A new key signs links in five minutes; the old ones verify until their last link is over."""
    from chalicelib.aws import secrets

    secrets.rotate(wiring.setting("LINK_KEYS_SECRET"), now=wiring.real_now())


@app.lambda_function(name="roots")
def lay_down_roots(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The heads of the chains that grew, from the table's stream, into the locked bucket."""
    from chalicelib.aws import ledger
    from chalicelib.roots import service as roots

    grown, today = ledger.written_in(event), wiring.real_now().date()
    heads = roots.lay_down(wiring.vault(), grown, today=today)
    log.info("roots_laid_down", heads=heads)
    return {"batchItemFailures": []}


@app.schedule(Cron(30, 0, "*", "*", "?", "*"), name="seal_roots")
def seal_roots(event: Any) -> None:
    """The days that are over, sealed and signed; what was missed is sealed late."""
    from chalicelib.roots import service as roots

    today = wiring.real_now().date()
    log.info("roots_sealed", seals=roots.seal_days(wiring.vault(), today=today))


def _told(event: str, run: "Run") -> dict[str, Any]:
    log.info(event, **msgspec.structs.asdict(run))
    return {"batchItemFailures": []}
