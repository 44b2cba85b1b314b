"""Errors of the host, the GPU and its libraries that mean too little memory."""

import torch

# Parts of the messages of torch's RuntimeError when the host, the GPU or one of its libraries has too little memory.
NO_MEMORY_MESSAGES = (
    "can't allocate memory",
    "not enough memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUFFT_ALLOC_FAILED",
)


def lacks_memory(error: Exception) -> bool:
    """Whether an error is due to too little memory of the host, the GPU or one of its libraries."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(message in str(error) for message in NO_MEMORY_MESSAGES)


def free_gpu_memory() -> None:
    """Return the memory of discarded tensors to the GPU, once the error whose traceback refers to them is discarded."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
