"""Training files: typed rows, and reading, checking and writing them.

Rows are OpenAI's supervised and preference rows; `formats` holds the others, `convert_file` turns
files of one into files of another. Not here: where rows come from
(`finetune.collect`) and what is done with them (`finetune.train`).
"""

from finetune.dataset.check import check_file
from finetune.dataset.convert import ConversionReport, convert_file
from finetune.dataset.detect import Detection, detect, detect_file
from finetune.dataset.overlap import OverlapReport, check_overlap
from finetune.dataset.problem import (
    CODES,
    DatasetError,
    Problem,
    Rule,
    Severity,
    UnknownFormatError,
)
from finetune.dataset.read import read_rows
from finetune.dataset.report import DatasetReport, TokenEstimate
from finetune.dataset.rows import (
    AssistantMessage,
    Content,
    DatasetKind,
    DeveloperMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    Message,
    OutputMessage,
    SftRow,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
    encode_row,
)
from finetune.dataset.shape import parse_row
from finetune.dataset.tokens import estimate_tokens
from finetune.dataset.write import WrittenFile, write_rows

__all__ = [
    "CODES",
    "AssistantMessage",
    "Content",
    "ConversionReport",
    "DatasetError",
    "DatasetKind",
    "DatasetReport",
    "Detection",
    "DeveloperMessage",
    "DpoInput",
    "DpoRow",
    "FunctionCall",
    "FunctionDefinition",
    "ImagePart",
    "ImageUrl",
    "Message",
    "OutputMessage",
    "OverlapReport",
    "Problem",
    "Rule",
    "Severity",
    "SftRow",
    "SystemMessage",
    "TextPart",
    "TokenEstimate",
    "ToolCall",
    "ToolDefinition",
    "ToolMessage",
    "UnknownFormatError",
    "UserMessage",
    "WrittenFile",
    "check_file",
    "check_overlap",
    "convert_file",
    "detect",
    "detect_file",
    "encode_row",
    "estimate_tokens",
    "parse_row",
    "read_rows",
    "write_rows",
]
