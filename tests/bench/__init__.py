"""The benchmark: our whole system against peers, in one run on one machine.

`make bench` runs every row and rewrites `tests/bench/RESULTS.md`;
`make bench BENCH_ARGS="--rows store --repeats 3"` runs some of them. Nothing
here is collected by pytest.

The rows `index` and `worklist` ask databases of a million studies, which take
minutes to make (20 million instances: 5 min and 17 GB; the worklist: 3 min and
8 GB). `--keep DIR` keeps them in DIR and finds them there the next time, whatever
the version: they are migrated, and what is measured changes them little.

**To add rows**, put a module into `tests/bench/rows/` that has `ROWS`, a tuple
of `tests.bench.row.Row`; it is found by itself, and `--rows MODULE` or
`--rows ROW` chooses it. A row names the work, the unit, the goal, and for each
contender (`RDC`, `ORTHANC`, `DCMTK`) a function that does the work once with
a `Stage` and returns the value. The frame repeats, alternates between the
contenders, waits until all are idle before each run, takes medians, records
CPU time, compares with the goal and prints. For example::

    def _metadata(stage: Stage, contender: str) -> float:
        peer = stage.start(contender)           # started at first use
        uid = stage.facts["data"].senders[0].study_instance_uid
        began = time.perf_counter()
        peer.client.get(f"{peer.web}/studies/{uid}/metadata").raise_for_status()
        return (time.perf_counter() - began) * 1000

    ROWS = (
        Row(
            name="metadata-250", title="WADO-RS metadata, 250 instances", unit="ms",
            goal=Goal(times=10), higher_is_better=False, world="wado-250",
            prepare=_load,                       # makes a DataSet, sends it to both, checks
            runs={RDC: lambda stage: _metadata(stage, RDC),
                  ORTHANC: lambda stage: _metadata(stage, ORTHANC)},
        ),
    )

`stage.rdc` and `stage.orthanc` have `.web` (the DICOMweb root), `.client` (an
httpx client that keeps its connection and, with us, is signed in), `.dicom`
(host, port, AE title); `stage.rdc.database` is our database; `stage.send`,
`stage.wait_until_seen` and `stage.check_complete` bring a `DataSet` in;
`stage.directory` is on the disk that is measured and is removed at the end.
Rows that follow each other with the same `world` share the running contenders
and the first one's `prepare`. A run that raises `RunFailed` is shown as such.
"""
