"""Policy packs: the dated rules of one jurisdiction. The organisation's settings name one."""

PACKS = (
    "eu-eiopa",
    "pl-legal-2018",
    "pl-nat-2015",
    "pl-nat-2026-02-13",
    "ru-442fz-2024",
    "ru-medexpress-2019",
    "uk-disp-2026",
    "uk-dp-2026-06-19",
)
