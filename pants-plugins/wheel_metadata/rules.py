"""What all our wheels have in common: the version, which stands in the code of libs/core and nowhere else,
and the Python they are for. A BUILD file says only what is the wheel's own.

Requirements come by themselves, from what the code imports. Extras are given as addresses
(`"testing": ["3rdparty/main#pytest"]`), so that their versions stand in requirements.in only.
"""

from __future__ import annotations

import re

from pants.backend.python.target_types import PythonRequirementsField
from pants.backend.python.util_rules.package_dists import SetupKwargs, SetupKwargsRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import Target, Targets
from pants.engine.unions import UnionRule

_VERSION_FILE = "libs/core/coinlake/__init__.py"


class WheelRequest(SetupKwargsRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return True


@rule
async def describe_wheel(request: WheelRequest) -> SetupKwargs:
    own = request.explicit_kwargs
    origin = "the version of all wheels"
    globs = PathGlobs([_VERSION_FILE], GlobMatchErrorBehavior.error, description_of_origin=origin)
    code = await Get(DigestContents, PathGlobs, globs)
    version = re.search(r'^__version__ = "(.+)"$', code[0].content.decode(), re.MULTILINE)
    if version is None:
        raise ValueError(f"{_VERSION_FILE} has no line that sets __version__")
    extras = {}
    for extra, addresses in own.pop("extras_require", {}).items():
        origin = f"the extra {extra} of {request.target.address}"
        inputs = UnparsedAddressInputs(addresses, owning_address=None, description_of_origin=origin)
        targets = await Get(Targets, UnparsedAddressInputs, inputs)
        found = [one for target in targets for one in target[PythonRequirementsField].value]
        extras[extra] = sorted(map(str, found))
    kwargs = {
        "version": version[1],
        "python_requires": ">=3.11,<3.12",
        "classifiers": ["Programming Language :: Python :: 3.11", "Typing :: Typed"],
        "extras_require": extras,
        **own,
    }
    return SetupKwargs(kwargs, address=request.target.address)


def rules():
    return [*collect_rules(), UnionRule(SetupKwargsRequest, WheelRequest)]
