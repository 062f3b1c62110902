"""A query on columns, as a person writes it (`words < 100 and lang == "uk"`), to an Arrow expression.

The syntax is Python's: comparisons, `in`, `is None`, `and`, `or`, `not`, `+ - * /`, names of columns,
constants. It is read by Python's own parser and translated node by node; anything else in it is an error,
nothing is run.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from corpus.errors import UsageError

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
#: Operators that ask for null where None stands on their right.
_IS: Final = (ast.Is, ast.Eq)
_IS_NOT: Final = (ast.IsNot, ast.NotEq)
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def parse(query: str, schema: pa.Schema) -> Any:
    """The expression of a query over these columns. Raises UsageError that names what is wrong, types too."""
    try:
        tree = ast.parse(query.strip(), mode="eval").body
        expression = _Translator(query, schema.names).visit(tree)
        ds.dataset(schema.empty_table()).to_table(filter=expression)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, pa.ArrowException) as error:
        # Python's parser gives up on deep nesting with the last two of its own.
        message = getattr(error, "msg", None) or " ".join(str(error).split())[:160] or "too deeply nested"
        raise UsageError(
            f"--where {query[:80]!r}: {message}; write it like: words < 100 and lang == 'ru'"
        ) from error
    return expression


class _Translator(ast.NodeVisitor):
    def __init__(self, query: str, columns: Sequence[str]) -> None:
        self._query, self._columns = query, columns

    def generic_visit(self, node: ast.AST) -> Any:
        shown = ast.unparse(node)
        raise UsageError(
            f"--where {self._query!r}: {shown!r} is not understood; use columns, constants, "
            "comparisons, in, and, or, not"
        )

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self._columns:
            near = difflib.get_close_matches(node.id, self._columns, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self._columns)}"
            raise UsageError(f"--where: no column {node.id!r}; {hint}")
        return pc.field(node.id)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return self._scalar(node.value)

    def _scalar(self, value: Any) -> Any:
        try:
            return pc.scalar(value)
        except (OverflowError, pa.ArrowException) as error:
            raise UsageError(f"--where {self._query!r}: {value!r:.40} is no value of a column") from error

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return ~self.visit(node.operand)
        operand = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(node.op, ast.USub) and isinstance(operand, int | float):
            return pc.scalar(-operand)
        if isinstance(node.op, ast.USub):
            return pc.scalar(0) - self.visit(node.operand)
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        value = self.visit(node.values[0])
        for other in node.values[1:]:
            value = join(value, self.visit(other))
        return value

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        if type(node.op) not in _ARITHMETIC:
            return self.generic_visit(node)
        return _ARITHMETIC[type(node.op)](self.visit(node.left), self.visit(node.right))

    def visit_Compare(self, node: ast.Compare) -> Any:
        left, value = node.left, None
        for op, right in zip(node.ops, node.comparators, strict=True):
            part = self._compare(left, op, right)
            value = part if value is None else value & part
            left = right
        return value

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(right, ast.Constant) and right.value is None and isinstance(op, _IS + _IS_NOT):
            null = self.visit(left).is_null()
            return ~null if isinstance(op, _IS_NOT) else null
        if isinstance(op, ast.In | ast.NotIn):
            try:
                values = list(ast.literal_eval(right))
            except (ValueError, TypeError) as error:
                raise UsageError(f"--where {self._query!r}: after `in` write a list of constants") from error
            found = self.visit(left).isin(values)
            return ~found if isinstance(op, ast.NotIn) else found
        if type(op) not in _COMPARE:
            return self.generic_visit(right)
        return _COMPARE[type(op)](self.visit(left), self.visit(right))
