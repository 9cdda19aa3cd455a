"""How the training process is started: plainly, or several of them through accelerate."""

from finetune.train.config import TrainConfig

__all__ = ["launch_arguments"]


def launch_arguments(config: TrainConfig) -> tuple[str, ...]:
    """Return Python's arguments before the name of the module that trains.

    With several processes, accelerate starts them on this machine: over NCCL on GPUs, over gloo
    on CPUs.
    """
    if config.processes == 1:
        return ("-m",)
    place = ("--cpu",) if config.device == "cpu" else ("--multi_gpu",)
    return (
        "-m",
        "accelerate.commands.launch",
        *place,
        "--num_processes",
        str(config.processes),
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",  # the trainer decides
        "--dynamo_backend",
        "no",
        "--num_cpu_threads_per_process",
        str(config.threads),
        # Any free port: two trainings on one machine must not meet.
        "--main_process_port",
        "0",
        "--module",
    )
