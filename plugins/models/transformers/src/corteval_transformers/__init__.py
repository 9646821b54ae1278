"""Every text model of Hugging Face transformers as a subject."""

__version__ = "0.1.0"
