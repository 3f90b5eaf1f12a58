"""Classes and functions of programs that are not here, by the names that pickles have for them."""

import sys
import types


def module_of(name):
    """The module of that name, a made one where there is none."""
    if name in sys.modules:
        return sys.modules[name]
    parent, _, child = name.rpartition('.')
    module = sys.modules[name] = types.ModuleType(name)
    if parent:
        setattr(module_of(parent), child, module)
    return module


def fake(full, base=object, **members):
    """A class that pickles call by this name."""
    module, _, name = full.rpartition('.')
    cls = type(name, (base,), {'__module__': module, '__qualname__': name, **members})
    setattr(module_of(module), name, cls)
    return cls


def fake_function(full):
    def function(*_):
        return None

    function.__module__, _, function.__name__ = full.rpartition('.')
    function.__qualname__ = function.__name__
    setattr(module_of(function.__module__), function.__name__, function)
    return function


def instance(cls, **state):
    made = cls.__new__(cls)
    made.__dict__.update(state)
    return made


def in_main(*classes):
    """Pickled as the script of a stranger has them: __main__.Config."""
    for cls in classes:
        cls.__module__ = '__main__'
        setattr(sys.modules['__main__'], cls.__name__, cls)
