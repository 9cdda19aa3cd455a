"""Packaging: from a trained model to files that model servers take (GGUF, Ollama's Modelfile).

It does not register or serve a model; that is the business of `wiki`.
"""

from finetune.package.adapter import MergeError, merge_adapter
from finetune.package.bundle import Lineage, Package, PackagedFile, package_run, read_lineage
from finetune.package.converter import (
    Converter,
    GgufFile,
    PackagingError,
    Quantisation,
    UnknownModelError,
    parse_quantisation,
)
from finetune.package.gguf import BuiltinConverter
from finetune.package.llama_cpp import LlamaCppConverter
from finetune.package.modelfile import modelfile, write_modelfile
from finetune.package.ollama import ask_ollama, create_in_ollama
from finetune.package.parity import ParityError, ParityReport, check_parity
from finetune.package.run import export_to_gguf, package_gguf

__all__ = [
    "BuiltinConverter",
    "Converter",
    "GgufFile",
    "Lineage",
    "LlamaCppConverter",
    "MergeError",
    "Package",
    "PackagedFile",
    "PackagingError",
    "ParityError",
    "ParityReport",
    "Quantisation",
    "UnknownModelError",
    "ask_ollama",
    "check_parity",
    "create_in_ollama",
    "export_to_gguf",
    "merge_adapter",
    "modelfile",
    "package_gguf",
    "package_run",
    "parse_quantisation",
    "read_lineage",
    "write_modelfile",
]
