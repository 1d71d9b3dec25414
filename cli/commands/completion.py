"""`interp completion`."""

import click
from click.shell_completion import get_completion_class

PLACES = {
    "bash": 'eval "$(interp completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(interp completion zsh)" in ~/.zshrc',
    "powershell": "interp completion powershell | Out-String | Invoke-Expression in $PROFILE",
    "fish": "interp completion fish > ~/.config/fish/completions/interp.fish",
}


@click.command(
    short_help="Print the script that completes commands in a shell.",
    epilog="  ".join(f"{shell}: {place}." for shell, place in PLACES.items()),
)
@click.argument("shell", type=click.Choice([shell for shell in PLACES if get_completion_class(shell)]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, classes and samples in SHELL."""
    script = get_completion_class(shell)
    click.echo(script(ctx.find_root().command, {}, "interp", "_INTERP_COMPLETE").source())
