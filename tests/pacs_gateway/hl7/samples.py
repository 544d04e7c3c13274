"""Messages as sites' systems write them; segments end with a carriage return."""


def orm(
    *,
    control: str = "NW",
    placer: str = "P100",
    control_id: str = "MSG1",
    version: str = "2.4",
    character_set: str = "UNICODE UTF-8",
    **fields: str,
) -> str:
    """An ORM^O01; `fields` replace whole segments by name, "" leaves one out."""
    segments = {
        "MSH": f"MSH|^~\\&|HIS|EAST|RDC|CENTRE|20260304091500||ORM^O01|{control_id}|P|{version}"
        f"||||||{character_set}",
        "PID": "PID|1||P1^^^EASTHIS^PI~110105194912310021^^^MPS^NI||Zhang^Wei~张^伟||19491231|F",
        "PV1": "PV1|1|I|内科^^12床||||||||||||||||V77",
        "ORC": f"ORC|{control}|{placer}|F9||||^^^202603041030^^S||20260304091500|||D7^李^医生",
        "OBR": f"OBR|1|{placer}|F9|CT001^胸部CT平扫^L|||||||||咳嗽两周||^^^^^L|D7^李^医生||A77"
        "||||||CT|||^^^202603041030^^S||||^排除肺炎",
        "ZDS": "ZDS|1.2.3.77^RDC^Application^DICOM",
        **fields,
    }
    return "".join(f"{text}\r" for text in segments.values() if text)


def omi(*, control: str = "NW", placer: str = "P200", control_id: str = "MSG2") -> str:
    """An OMI^O23 of version 2.5.1 with two orders."""
    lines = [
        f"MSH|^~\\&|HIS|EAST|RDC|CENTRE|20260304091500+0800||OMI^O23^OMI_O23|{control_id}|P|2.5.1",
        "PID|1||P2^^^EASTHIS||欧阳^娜娜||20010203|F",
        "PV1|1|E",
        f"ORC|{control}|{placer}",
        "TQ1|1||||||20260304103000+0800||S",
        f"OBR|1|{placer}||DR001^左膝正侧位",
        "IPC|A200|RP200|1.2.3.200|S200|DX|||DRROOM|EASTDR",
        f"ORC|{control}|{placer}b",
        "TQ1|1||||||20260304110000||R",
        f"OBR|2|{placer}b||US001^腹部超声",
        "IPC|A201|RP201|1.2.3.201|S201|US",
    ]
    return "".join(f"{line}\r" for line in lines)
