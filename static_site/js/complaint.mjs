// @ts-check
import { ComplaintPage } from "./complaint-page.mjs";

const asked = new URLSearchParams(location.search);
void new ComplaintPage(asked.get("org") ?? "", asked.get("lang")).open();
