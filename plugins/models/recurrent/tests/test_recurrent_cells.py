"""The language of cells: its text, its torch modules, and what is drawn in it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from corteval.errors import OptionError
from corteval_recurrent import CELLS, candidates, compile_cell, parse
from corteval_recurrent.expressions import (
    OPERATORS,
    SOURCES,
    Cell,
    Definition,
    Named,
    Operation,
    Source,
    cell_of,
    count_parameters,
    depth,
)
from corteval_recurrent.search import CORE, is_valid

WIDTH = 5


def _expressions(names, operators=OPERATORS):
    leaves = [Source(name=name) for name in SOURCES if name != "c_prev"]
    leaves += [Named(name=name) for name in names]
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: st.sampled_from([*operators]).flatmap(
            lambda name: st.tuples(*[inner] * OPERATORS[name]).map(
                lambda arguments: Operation(operator=name, arguments=arguments)
            )
        ),
        max_leaves=12,
    )


@st.composite
def cells(draw, operators=OPERATORS):
    first = draw(_expressions([], operators))
    second = draw(_expressions(["c"], operators))
    definitions = (
        Definition(name="c", expression=first),
        Definition(name="h", expression=second),
    )
    return draw(st.sampled_from([cell_of(first), Cell(definitions=definitions)]))


@given(cell=cells())
def test_what_is_printed_is_read_back_as_the_same_cell(cell):
    assert parse(str(cell)) == cell
    assert parse(cell.on_one_line()) == cell


@given(cell=cells())
def test_a_cell_has_as_many_weights_as_its_text_says(cell):
    module = compile_cell(cell, WIDTH)
    assert sum(w.numel() for w in module.parameters()) == count_parameters(cell, WIDTH)
    text = str(cell)
    assert text.count("MM(") + text.count("LayerNorm(") == len(module.weights)


def _interpreted(cell, module, sequence):
    """The same cell by walking its tree at every step, one operator after the other."""
    zero = torch.zeros(len(sequence), WIDTH, dtype=sequence.dtype)
    plain = {
        "Sigmoid": lambda a: 1 / (1 + torch.exp(-a)),
        "Tanh": torch.tanh,
        "ReLU": lambda a: torch.where(a > 0, a, torch.zeros_like(a)),
        "SeLU": nn.SELU(),
        "Sin": torch.sin,
        "Cos": torch.cos,
        "Add": lambda a, b: a + b,
        "Mult": lambda a, b: a * b,
        "Sub": lambda a, b: a - b,
        "Div": lambda a, b: a / b,
        "Gate3": lambda a, b, f: plain["Sigmoid"](f) * a + (1 - plain["Sigmoid"](f)) * b,
    }
    read = {"x_prev": zero, "h_prev": zero, "c_prev": zero}
    outputs = []
    for step in range(sequence.shape[1]):
        angles = [step / 10_000 ** ((unit - unit % 2) / WIDTH) for unit in range(WIDTH)]
        waves = [math.cos(a) if unit % 2 else math.sin(a) for unit, a in enumerate(angles)]
        read["x"] = sequence[:, step]
        read["PosEnc"] = torch.tensor(waves, dtype=sequence.dtype).expand(len(sequence), -1)
        made, weights = {}, iter(module.weights)

        def value(part, read=read, made=made, weights=weights):
            if isinstance(part, Source):
                return read[part.name]
            if isinstance(part, Named):
                return made[part.name]
            if part.operator in ("MM", "LayerNorm"):
                own = next(weights)
                return own(value(part.arguments[0]))
            return plain[part.operator](*[value(a) for a in part.arguments])

        for definition in cell.definitions:
            made[definition.name] = value(definition.expression)
        outputs.append(made["h"])
        read |= {"x_prev": read["x"], "h_prev": made["h"], "c_prev": made.get("c", zero)}
    return torch.stack(outputs, 1)


# quotients by values near 0 have no digits to compare; Div is compared below
@given(cell=cells([name for name in OPERATORS if name != "Div"]), seed=st.integers(0, 100))
def test_a_compiled_cell_computes_what_its_tree_says(cell, seed):
    torch.manual_seed(seed)
    module = compile_cell(cell, WIDTH).double()
    sequence = torch.randn(2, 4, WIDTH, dtype=torch.float64)
    found, _ = module(sequence)
    expected = _interpreted(cell, module, sequence)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True)


def _copy(module, torchs, gates):
    """Give the matrices of a cell the weights of torch's, whose gates lie one below the other."""
    with torch.no_grad():
        for number, gate in enumerate(gates):
            rows = slice(gate * WIDTH, (gate + 1) * WIDTH)
            of_input, of_state = module.weights[2 * number : 2 * number + 2]
            of_input.weight.copy_(torchs.weight_ih[rows])
            of_input.bias.copy_(torchs.bias_ih[rows])
            of_state.weight.copy_(torchs.weight_hh[rows])
            of_state.bias.copy_(torchs.bias_hh[rows])


def test_the_lstm_in_the_language_is_the_one_of_torch():
    torch.manual_seed(0)
    theirs = nn.LSTMCell(WIDTH, WIDTH).double()
    ours = compile_cell(CELLS["lstm"], WIDTH).double()
    _copy(ours, theirs, (1, 0, 2, 3))  # torch's order is i, f, g, o
    sequence = torch.randn(3, 9, WIDTH, dtype=torch.float64)
    found, after = ours(sequence)
    state = None
    for step in range(9):
        state = theirs(sequence[:, step], state)
        torch.testing.assert_close(found[:, step], state[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(after.c, state[1], rtol=0, atol=1e-12)


def test_the_gru_in_the_language_is_the_one_of_torch():
    torch.manual_seed(1)
    theirs = nn.GRUCell(WIDTH, WIDTH).double()
    ours = compile_cell(CELLS["gru"], WIDTH).double()
    _copy(ours, theirs, (0, 2, 1))  # torch's order is r, z, n
    sequence = torch.randn(3, 9, WIDTH, dtype=torch.float64)
    found, _ = ours(sequence)
    hidden = None
    for step in range(9):
        hidden = theirs(sequence[:, step], hidden)
        torch.testing.assert_close(found[:, step], hidden, rtol=0, atol=1e-12)


def test_bc3_follows_the_equations_that_are_remembered():
    torch.manual_seed(2)
    module = compile_cell(CELLS["bc3"], WIDTH).double()
    sequence = torch.randn(2, 6, WIDTH, dtype=torch.float64)
    found, _ = module(sequence)
    v, x_in, u_z, w_z, w_c, w_f, u_f, w_o, norm, u_o = module.weights
    hidden = torch.zeros(2, WIDTH, dtype=torch.float64)
    for step in range(6):
        x = sequence[:, step]
        f = torch.sigmoid(w_f(x) + u_f(hidden))
        z = v(x_in(x) * u_z(hidden)) + w_z(x)
        c = torch.tanh(f * w_c(x) + (1 - f) * z)
        hidden = torch.sigmoid(c) * (w_o(x) + norm(u_o(hidden)))
        torch.testing.assert_close(found[:, step], hidden, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [*CELLS])
def test_two_halves_with_the_state_between_them_are_the_whole(name):
    torch.manual_seed(3)
    module = compile_cell(f"{CELLS[name]}".replace("MM(x)", "MM(Add(x, Sub(x_prev, PosEnc)))"), 4)
    sequence = torch.randn(2, 7, 4)
    whole, end = module(sequence)
    first, between = module(sequence[:, :3])
    second, after = module(sequence[:, 3:], between)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(after.h, end.h)
    assert after.position == end.position == 7


def test_div_divides():
    sequence = torch.tensor([[[1.0, -3.0], [2.0, 5.0]]])
    found, _ = compile_cell("Div(x, Add(x_prev, Cos(h_prev)))", 2)(sequence)
    first = sequence[:, 0]
    second = sequence[:, 1] / (sequence[:, 0] + first.cos())
    torch.testing.assert_close(found, torch.stack([first, second], 1))


def test_an_output_that_needs_no_past_is_computed():
    found, _ = compile_cell("Tanh(x)", 3)(torch.ones(1, 2, 3))
    torch.testing.assert_close(found, torch.full((1, 2, 3), math.tanh(1.0)))
    found, state = compile_cell("h = Tanh(x)", 3)(torch.ones(1, 0, 3))
    assert found.shape == (1, 0, 3) and state.position == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h = Tahn(x)", r"Line 1, column 5 .*no operator 'Tahn'; did you mean Tanh\?"),
        ("h = tanh(x)", "did you mean Tanh"),
        ("c = x\nh = Add(x,\n  hprev)", r"Line 3, column 3 .*'hprev'.*did you mean h_prev"),
        ("h = Add(x)", "column 5 .*Add takes 2 arguments, not 1"),
        ("h = Tanh(x, x)", "Tanh takes 1 argument, not 2"),
        ("h = Tanh(x", "the end stands where ',' or '\\)' is expected"),
        ("h = Tanh(x) x", "column 13 .*'x' follows where the line must end"),
        ("h = Tanh(x)\nAdd(x, x)", "Line 2, column 1 .*begins with a name and '='"),
        ("h = Tanh(g)\ng = x", "'g' is no source and not yet defined"),
        ("h = x\nh = x", "Line 2, column 1 .*h is defined twice"),
        ("x = h_prev", "'x' cannot be defined"),
        ("h = MM", "MM is an operator and takes arguments"),
        ("h = 3", "'3' has no meaning"),
        ("h = Tanh(c_prev)", "no line defines the state c"),
        ("g = Tanh(x)", "does not define its output h"),
        ("g = Tanh(x)\nh = x", "g: defined and never used"),
        ("  # nothing", "is empty"),
        ("h = " + "Tanh(" * 80 + "x" + ")" * 80, "nested more than 60 deep"),
        ("h = " + "Tanh(" * 5_000 + "x", "nested more than 60 deep"),
    ],
)
def test_a_wrong_text_is_answered_with_its_place(text, message):
    with pytest.raises(OptionError, match=message):
        parse(text)


def test_the_caret_stands_under_the_fault():
    with pytest.raises(OptionError) as caught:
        parse("c = x\nh = Add(MM(x), Tahn(c))")
    written, caret = str(caught.value).splitlines()[-2:]
    assert written[caret.index("^") :].startswith("Tahn")


def test_comments_and_open_brackets_run_over_lines():
    assert parse("# mine\nh = Add(  # both\n  x,\n  h_prev\n)") == parse("h=Add(x,h_prev)")


def test_a_width_below_one_is_refused():
    with pytest.raises(OptionError, match="not 0"):
        compile_cell("Tanh(x)", 0)


def test_candidates_are_those_of_their_seed():
    drawn = candidates(20, seed=4)
    assert drawn == candidates(20, seed=4)
    assert drawn[:5] == candidates(5, seed=4)
    assert len({str(cell) for cell in drawn}) == 20
    assert drawn != candidates(20, seed=5)
    assert {cell.has_state for cell in drawn} == {True, False}


@pytest.mark.parametrize("operators", [CORE, (*CORE, "LayerNorm", "SeLU", "Sin", "Cos", "Sub")])
def test_candidates_stay_finite_and_learn_over_many_steps(operators):
    torch.manual_seed(0)
    sequence = torch.randn(2, 60, WIDTH) * 3
    for cell in candidates(40, seed=1, depth=4, operators=operators):
        assert is_valid(cell)
        assert max(depth(d.expression) for d in cell.definitions) <= 4
        module = compile_cell(cell, WIDTH)
        found, after = module(sequence)
        assert found.isfinite().all() and after.c.isfinite().all(), cell
        found.square().sum().backward()
        assert any(w.grad is not None and w.grad.abs().sum() > 0 for w in module.parameters())


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (CELLS["gru"], True),
        (CELLS["elman"], True),
        ("Add(h_prev, Tanh(MM(x)))", False),  # grows without bound
        ("Tanh(MM(x))", False),  # no past
        ("Tanh(MM(h_prev))", False),  # no input
        ("Tanh(Add(x, h_prev))", False),  # nothing to learn
        ("Tanh(Tanh(Add(MM(x), h_prev)))", False),
        ("Gate3(h_prev, Tanh(MM(x)), MM(h_prev))", True),
        ("Gate3(MM(h_prev), Tanh(MM(x)), MM(h_prev))", False),
        ("c = Tanh(x); h = Tanh(Add(MM(x), h_prev))", False),  # the state is wasted
        ("Tanh(Mult(MM(x), h_prev))", False),  # stays 0
        ("c = Tanh(Mult(c_prev, h_prev)); h = Tanh(Add(MM(x), c))", False),
        ("Tanh(Add(MM(x), Div(x, h_prev)))", True),
    ],
)
def test_what_cannot_work_is_no_candidate(text, valid):
    assert is_valid(parse(text)) is valid


def test_candidates_that_cannot_be_found_are_an_error():
    with pytest.raises(OptionError, match="did you mean Tanh"):
        candidates(1, operators=["Tahn"])
    with pytest.raises(OptionError, match="depth is at least 2"):
        candidates(1, depth=1)
    with pytest.raises(OptionError, match="allow more operators"):
        candidates(1, operators=["Add"])
