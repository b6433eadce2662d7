// @ts-check
import { InformationPage } from "./information-page.mjs";

const asked = new URLSearchParams(location.search);
void new InformationPage(asked.get("org") ?? "", asked.get("lang"), asked.get("on")).open();
