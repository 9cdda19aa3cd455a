"""Packaging: from a trained model to files that model servers take (GGUF, Ollama's Modelfile).

It does not register or serve a model; that is the business of `wiki`.
"""

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
from finetune.package.run import export_to_gguf, package_gguf

__all__ = [
    "BuiltinConverter",
    "Converter",
    "GgufFile",
    "LlamaCppConverter",
    "PackagingError",
    "Quantisation",
    "UnknownModelError",
    "export_to_gguf",
    "modelfile",
    "package_gguf",
    "parse_quantisation",
    "write_modelfile",
]
