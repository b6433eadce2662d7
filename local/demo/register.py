"""What is left to count: statistics, the register as a table, a case on paper."""

import csv
import io
import json

from local.cases import Case
from local.demo.story import OFFICER, OUT, Story, check, refused, say
from local.desk import download

DANGEROUS = ("=", "+", "-", "@")


class Register(Story):
    """The stories before, in numbers and on paper."""

    title = "The register: statistics, a table, a case on paper"

    def run(self) -> None:
        """Counted, exported, printed."""
        officer = self.desk(OFFICER)
        refused("role_refused", lambda: self.agent.get("/api/statistics"))
        today = self.to_working_day()  # the day of the stories before
        counted = officer.get("/api/statistics")
        total = counted["statistics"]["total"]
        check(total["received"] == 5, "every submission is counted, the anonymous one too")
        by = {one["label"]: one["received"] for one in counted["statistics"]["by_cause"]}
        check(by.get("hotline") == 1, "by cause")
        (OUT / "register-1-statistics.json").write_text(
            json.dumps(counted, ensure_ascii=False, indent=1)
        )
        exported = officer.get("/api/statistics/export")
        raw = download(exported["url"])
        (OUT / "register-2.csv").write_bytes(raw)
        lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
        check(len(lines) == exported["lines"] + 1, "a line for each submission")
        cells = [cell for line in lines[1:] for cell in line]
        check("Jakość" in cells, "with the department that handles it")
        check(not any(cell.startswith(DANGEROUS) for cell in cells), "no cell is a formula")
        say(f"22. {total['received']} submissions counted; a table of {len(lines) - 1} lines.")
        closed = officer.get(f"/api/complaints?list=closed&month={today:%Y-%m}")["cases"]
        self.on_paper(Case(officer, closed[0]["case_id"]))
        self.clock_right()

    def on_paper(self, case: Case) -> None:
        """The whole case as a PDF."""
        pdf = download(case.desk.get(f"{case.where}/pdf")["url"])
        check(pdf.startswith(b"%PDF-1."), "a case is a PDF")
        (OUT / "register-3-case.pdf").write_bytes(pdf)
        say("23. A case printed whole: facts, dates with their reasons, all that happened.")
