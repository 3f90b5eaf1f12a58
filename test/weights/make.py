"""One small file for every way in which people keep the weights of a network, and what each should give.

    python3 test/weights/make.py     (Debian 12: apt-get install python3-torch python3-torchvision)

writes files/ (weights, some in folders of their own), inputs/ (tensors `input`, normalised, NCHW) and
expected.json (the logits that PyTorch gives in float64 for the weights as they are stored). The same
versions write the same bytes. README.md says what expected.json has.

Programs that are not here (timm, Transformers, Lightning, fastai, OpenMMLab …) are imitated: the structure
and the names of their modules, the dicts that they save, and the names of their classes in the pickle.
"""

import json
import os
import shutil
import sys

if os.environ.get('PYTHONHASHSEED') != '0':
    # TorchScript writes some things in the order of Python's hashes.
    os.environ['PYTHONHASHSEED'] = '0'
    os.execv(sys.executable, [sys.executable, *sys.argv])
sys.dont_write_bytecode = True

from kinds import containers, formats, second, structure, unseen, wrappers
from kinds.cases import CASES, HERE, INPUTS, seeded, write_safetensors

KINDS = [
    *[containers.containers, containers.beside],
    *[wrappers.dicts, wrappers.prefixes, wrappers.own, wrappers.with_fastai, wrappers.self_supervised],
    *[structure.heads_linear, structure.heads_several, structure.heads_and_more],
    *[structure.stems, structure.norms, structure.other_families],
    *[unseen.eps, unseen.activations, unseen.dilation, unseen.huggingface, unseen.timm],
    *[formats.precisions, formats.keras, formats.safetensors_files, formats.labels, formats.not_ours],
    *[second.modules, second.children, second.heads_told_apart, second.strangers_beside, second.said_by_scripts],
]


def main():
    for folder in ['files', 'inputs']:
        shutil.rmtree(os.path.join(HERE, folder), ignore_errors=True)
        os.makedirs(os.path.join(HERE, folder))
    for kind in KINDS:
        seeded(kind)
        before = len(CASES)
        kind()
        print(f'{kind.__name__}: {", ".join(list(CASES)[before:])}')
    for name, tensor in INPUTS.items():
        write_safetensors(os.path.join(HERE, 'inputs', f'{name}.safetensors'), {'input': tensor})
    with open(os.path.join(HERE, 'expected.json'), 'w') as out:
        # A case a line.
        rows = [f'{json.dumps(name)}: {json.dumps(case, ensure_ascii=False)}' for name, case in CASES.items()]
        out.write('{\n' + ',\n'.join(rows) + '\n}\n')
    files = [os.path.join(folder, name) for folder, _, names in os.walk(HERE) for name in names]
    data = [file for file in files if '/files/' in file or '/inputs/' in file]
    print(f'{len(CASES)} cases, {len(data)} files, {sum(map(os.path.getsize, data))} bytes')


main()
