from __future__ import annotations

from conformance.model import FactsOrigin
from conformance.observe import proc

STATUS = (
    "Name:\tsh\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"
    "CapBnd:\t00000000a80425fb\nCapEff:\t0000000000000000\n"
)


def printed(**files: str) -> str:
    return "".join(f"==conformance== {name}\n{text}\n" for name, text in files.items())


def test_the_facts_of_a_confined_process_are_read() -> None:
    output = printed(status=STATUS, uid_map="         0          0 4294967295\n") + printed(
        **{"attr/current": "x (enforce)"}
    )
    facts = proc.facts(output, FactsOrigin.TWIN)
    assert facts.seccomp == 2
    assert facts.no_new_privs is True
    assert facts.cap_bnd == 0xA80425FB
    assert facts.cap_eff == 0
    assert facts.uid_map == "0 0 4294967295"
    assert facts.lsm_label == "x (enforce)"
    assert facts.origin is FactsOrigin.TWIN


def test_an_id_map_keeps_a_line_for_each_range() -> None:
    facts = proc.facts(printed(status=STATUS, uid_map="0 1000 1\n1 100000 65536\n"), FactsOrigin.BUILDER)
    assert facts.uid_map == "0 1000 1\n1 100000 65536"


def test_files_that_could_not_be_read_stay_unknown() -> None:
    facts = proc.facts(printed(status=STATUS), FactsOrigin.BUILDER)
    assert facts.uid_map is None
    assert facts.lsm_label is None


def test_output_without_a_status_gives_no_facts_at_all() -> None:
    facts = proc.facts("sh: not found", FactsOrigin.BUILDER)
    assert facts.origin is FactsOrigin.UNKNOWN
    assert facts.seccomp is None


def test_the_script_reads_the_process_it_is_asked_for() -> None:
    assert "/proc/self/uid_map" in proc.script("self")
    assert "/proc/1/status" in proc.script("1")
