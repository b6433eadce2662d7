"""`make demo`: the main jobs, whole and without a screen.

What it made lies in build/demo. Every step is done through the doors that users have, is told as it
happens, and is checked: the first thing that is not as it should be ends the run with an error.
"""

import shutil
import sys

from local import seed
from local.cloud import running
from local.demo.complaints import Complaints
from local.demo.consents import Consents
from local.demo.outsiders import Outsiders
from local.demo.papers import Papers
from local.demo.register import Register
from local.demo.rights import Rights
from local.demo.silence import Silence
from local.demo.story import OUT, NotAsItShouldBe, say
from local.desk import Refused

# In this order: the register counts what the stories before it left there.
STORIES = (Consents, Papers, Rights, Complaints, Outsiders, Silence, Register)


def main() -> int:
    """Run them in a local cloud of their own."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with running(say=say) as cloud:
        for _ in seed.seed(cloud.outputs):
            pass
        say("Two organisations, their people and a few clients are there.")
        try:
            for story in STORIES:
                say(f"\n{story.title}")
                story(cloud).run()
        except (NotAsItShouldBe, Refused) as problem:
            say(f"NOT AS IT SHOULD BE: {problem}")
            return 1
        made = sorted(one.name for one in OUT.iterdir())
        say(f"\nAll as it should be. In build/demo: {', '.join(made)}")
        say("Putting the local cloud away")
    return 0


if __name__ == "__main__":
    sys.exit(main())
