"""The chat template of models made from nothing: ChatML, with the answers marked.

The `generation` tags tell the trainer which tokens are the answer. They include the end mark, so
that the model learns to stop. Model servers ignore the tags.
"""

__all__ = ["END_OF_TEXT", "END_OF_TURN", "START_OF_TURN", "TEMPLATE"]

END_OF_TEXT = "<|endoftext|>"
"""Padding; never part of an answer."""
START_OF_TURN = "<|im_start|>"
"""Opens each message."""
END_OF_TURN = "<|im_end|>"
"""Closes each message; the model's end-of-answer token."""

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|im_start|>assistant\n' }}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""Jinja source, as transformers and llama.cpp read it."""
