"""croissant.json of a published dataset (Croissant 1.1 with its RAI vocabulary), from the manifest alone.

Each stage of the lineage is a PROV activity with its parameters and counts. A property of which nothing is
known is left out. Nothing here reads a clock: the same manifest gives the same file.
"""

from __future__ import annotations

import json
from typing import Any, Final

from corpus import storage
from pipelines import columns
from pipelines.manifest import FileEntry, Manifest

FILE: Final = "croissant.json"
RECORDS: Final = "documents"
_PARQUET: Final = "application/x-parquet"
#: The context of Croissant 1.1, with the vocabularies of responsible AI and of provenance.
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{
        name: f"cr:{name}"
        for name in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field"),
            *("fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset"),
            *(
                "jsonPath",
                "key",
                "md5",
                "parentField",
                "path",
                "recordSet",
                "references",
                "regex",
                "repeated",
            ),
            *("replace", "samplingRate", "separator", "source", "subField", "transform"),
        )
    },
}
#: Beginnings of Arrow's type names -> Croissant's types.
_TYPES: Final = (
    ("timestamp", "sc:DateTime"),
    ("date", "sc:Date"),
    ("bool", "sc:Boolean"),
    ("int", "sc:Integer"),
    ("uint", "sc:Integer"),
    ("float", "sc:Float"),
    ("double", "sc:Float"),
    ("halffloat", "sc:Float"),
)


def write(target: str, manifest: Manifest) -> None:
    """Write croissant.json of a dataset."""
    encoded = json.dumps(make(manifest), ensure_ascii=False, indent=1) + "\n"
    storage.write_bytes(storage.join(target, FILE), encoded.encode())


def make(manifest: Manifest) -> dict[str, Any]:
    """The file's content, as plain data."""
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": {"en": manifest.title},
        "description": {"en": _description(manifest)},
        "license": manifest.license or "other",
        "version": f"{manifest.version}.0.0",
        "isLiveDataset": False,
        "inLanguage": sorted(manifest.contents.get("counts", {}).get("lang", {})),
        "citeAs": columns.citation(manifest),
        "creator": {"@type": "sc:Organization", "name": {"en": manifest.contact}}
        if manifest.contact
        else None,
        "distribution": [*_file_sets(manifest), *(_file_object(entry) for entry in manifest.files)],
        "recordSet": [_record_set(manifest)],
        **_responsible(manifest),
        "prov:wasGeneratedBy": _activities(manifest),
    }
    return {key: value for key, value in found.items() if value not in (None, [], "")}


def _description(manifest: Manifest) -> str:
    dates = ""
    if manifest.contents.get("first"):
        dates = f", fetched from {manifest.contents['first']} to {manifest.contents['last']}"
    return f"{manifest.rows:,} documents, {manifest.text_bytes:,} bytes of UTF-8 text{dates}."


def _file_sets(manifest: Manifest) -> list[dict[str, Any]]:
    splits = sorted({columns.split_of(entry.path) for entry in manifest.files})
    whole = {"@id": "shards", "name": {"en": "all shards"}, "includes": "data/*.parquet"}
    parts = [
        {
            "@id": f"shards-{split}",
            "name": {"en": f"shards of {split}"},
            "includes": f"data/{split}-*.parquet",
        }
        for split in splits
    ]
    return [{"@type": "cr:FileSet", **one, "encodingFormat": _PARQUET} for one in (whole, *parts)]


def _file_object(entry: FileEntry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry.path,
        "name": {"en": entry.path.rpartition("/")[2]},
        "contentUrl": entry.path,
        "contentSize": f"{entry.bytes} B",
        "encodingFormat": _PARQUET,
        "sha256": entry.sha256,
    }


def _record_set(manifest: Manifest) -> dict[str, Any]:
    known: dict[str, Any] = {"key": {"@id": f"{RECORDS}/doc_id"}} if "doc_id" in manifest.columns else {}
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": {"en": RECORDS},
        "description": {"en": "One record is one document."},
        **known,
        "field": [_field(name, kind) for name, kind in manifest.columns.items()],
    }


def _field(name: str, kind: str) -> dict[str, Any]:
    inner = kind.removeprefix("large_").removeprefix("list<").rpartition(": ")[2].rstrip(">")
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{name}",
        "name": {"en": name},
        "description": {"en": columns.meaning(name)[0] or name},
        "dataType": next((to for begin, to in _TYPES if inner.startswith(begin)), "sc:Text"),
        "source": {"fileSet": {"@id": "shards"}, "extract": {"column": name}},
    }
    if "list<" in kind:
        found |= {"isArray": True, "arrayShape": "-1"}
    return found


def _responsible(manifest: Manifest) -> dict[str, Any]:
    """Terms of the RAI vocabulary of which something is known."""
    stages = {entry.stage: entry for entry in manifest.lineage}
    contents = manifest.contents
    found: dict[str, Any] = {
        "rai:dataPreprocessingProtocol": [
            f"{entry.stage}: {entry.rows_in:,} in, {sum(entry.dropped.values()):,} dropped, "
            f"{entry.rows_out:,} out"
            for entry in manifest.lineage
        ],
        "rai:dataLimitations": list(columns.LIMITS),
        "rai:dataBiases": [
            "Hosts, years and kinds of text are as unevenly distributed as in the source and as the "
            "filters left them; the card states their counts."
        ],
        "rai:dataUseCases": ["Training of language models and tokenizers."],
        "rai:dataReleaseMaintenancePlan": _maintenance(manifest.contact),
        "rai:personalSensitiveInformation": [_personal(manifest)],
    }
    if "extract" in stages:
        found |= {
            "rai:dataCollection": "Main text extracted from archived web pages (WARC, ARC, WET or HTML).",
            "rai:dataCollectionType": ["Web Scraping"],
        }
    if contents.get("first"):
        dates = [f"{contents[end]}T00:00:00" for end in ("first", "last")]
        # The vocabulary and its library, mlcroissant 1.1, spell it differently.
        found |= {"rai:dataCollectionTimeframe": dates, "rai:dataCollectionTimeFrame": dates}
    if "filter" in stages or "identify" in stages:
        found["rai:machineAnnotationTools"] = [
            f"bukvar {entry.stage} {entry.versions.get('bukvar', '')}".strip()
            for entry in manifest.lineage
            if entry.stage in ("identify", "filter", "classify")
        ]
    return found


def _maintenance(contact: str) -> str:
    how = f" Write to {contact}." if contact else ""
    begin = (
        "Documents are removed on request; each removal is a new version, and later versions leave them out."
    )
    return begin + how


def _personal(manifest: Manifest) -> str:
    if not any(entry.stage == "mask" for entry in manifest.lineage):
        return "Personal data was not masked."
    places = manifest.contents["masked"].get("masked", 0)
    return f"Personal data was masked in {places:,} places; some may remain."


def _activities(manifest: Manifest) -> list[dict[str, Any]]:
    """The stages in order; each used what the one before it made."""
    found: list[dict[str, Any]] = []
    for number, entry in enumerate(manifest.lineage):
        activity: dict[str, Any] = {
            "@type": "prov:Activity",
            "@id": f"activity/{number}-{entry.stage}",
            "prov:label": entry.stage,
            "prov:wasAssociatedWith": {
                "@type": "prov:SoftwareAgent",
                "@id": f"bukvar/{entry.versions.get('bukvar', '')}",
                "prov:label": f"bukvar {entry.versions.get('bukvar', '')}, {entry.stage} {entry.version}",
            },
            "prov:generated": {
                "@type": "prov:Entity",
                "@id": f"entity/{number}-{entry.stage}",
                "prov:value": f"{entry.rows_out} documents, {entry.bytes_out} bytes of text",
            },
            "prov:value": json.dumps(
                {"parameters": entry.parameters, "rows_in": entry.rows_in, "dropped": entry.dropped},
                ensure_ascii=False,
                sort_keys=True,
            ),
        }
        if number:
            before = manifest.lineage[number - 1]
            activity["prov:used"] = {"@id": f"entity/{number - 1}-{before.stage}"}
        found.append(activity)
    return found
