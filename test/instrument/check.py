"""ONNX's own checker, with shapes inferred, on every file of a folder: check.py FOLDER"""

import glob
import sys

import onnx

checked, newer = 0, []
for path in sorted(glob.glob(f'{sys.argv[1]}/*.onnx')):
    model = onnx.load(path, load_external_data=False)
    own = [entry.version for entry in model.opset_import if entry.domain in ('', 'ai.onnx')]
    if own[0] > onnx.defs.onnx_opset_version() or model.ir_version > onnx.IR_VERSION:
        newer.append(path.rsplit('/', 1)[-1])
        continue
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:
        sys.exit(f'{path}: {error}')
    checked += 1
print(f'onnx {onnx.__version__}: {checked} files pass the checker')
if newer:
    print(f'newer than this version of onnx: {", ".join(newer)}')
