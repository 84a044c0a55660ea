"""What each component of a design is called, why it may help, and who published it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from aar_host.researchers.grammar import Design, Value

TITLE_WIDTH = 95

WORDS: Mapping[tuple[str, Value], str] = {
    ("signal", "weak"): "weak labels",
    ("signal", "prior"): "elicited prior",
    ("signal", "mixture"): "labels + prior",
    ("prior", "regressed"): "fitted prior",
    ("generations", 1): "distilled once",
    ("generations", 2): "distilled twice",
    ("labels", "hard"): "hardened",
    ("labels", "sharpened"): "sharpened",
    ("labels", "tempered"): "tempered",
    ("select", "confident"): "surest part",
    ("select", "agreement"): "agreeing rows",
    ("select", "neighbours"): "kNN kept",
    ("weighting", "confidence"): "by confidence",
    ("weighting", "agreement"): "by agreement",
    ("curriculum", "confident_first"): "surest first",
    ("loss", "logconf"): "logconf",
    ("loss", "reverse_cross_entropy"): "reverse CE",
    ("members", 2): "2 members",
    ("members", 3): "3 members",
    ("views", "plain+swap"): "both orders",
}

IDEAS: Mapping[tuple[str, Value], str] = {
    ("signal", "weak"): (
        "The student learns the weak supervisor's probabilities and generalises beyond them "
        "(Burns et al. 2023, arXiv 2312.09390)."
    ),
    ("signal", "prior"): (
        "The pretrained student is asked, in the format it was pretrained on, which alternative it "
        "prefers, and is then trained on its own answers; no weak label decides an example "
        "(unsupervised elicitation, Burns et al. 2022, arXiv 2212.03827; arXiv 2506.10139)."
    ),
    ("signal", "mixture"): (
        "The weak supervisor and the pretrained student err for different reasons. If their errors "
        "are independent given the truth, their log-odds add up to the posterior."
    ),
    ("prior", "regressed"): (
        "The prior is a logistic regression of the weak label on the zero-shot log-odds, which "
        "gives it the weak labels' scale and removes a constant preference for one side."
    ),
    ("prior", "standardised"): (
        "The zero-shot log-odds are centred at their median and scaled by their median deviation, "
        "so that neither a constant preference nor a few extreme answers decide."
    ),
    ("generations", 1): (
        "A first generation of students relabels the examples that it was not fitted on, which "
        "drops the label noise it cannot predict (Furlanello et al. 2018, arXiv 1805.04770)."
    ),
    ("generations", 2): (
        "Two generations of students relabel the examples that they were not fitted on, which "
        "drops the label noise they cannot predict (Furlanello et al. 2018, arXiv 1805.04770)."
    ),
    ("labels", "hard"): "Only the side of the evidence is taught, not its strength.",
    ("labels", "sharpened"): "Sharpened targets push the student to decide where it can.",
    ("labels", "tempered"): "Tempered targets keep it from learning overconfident errors.",
    ("select", "confident"): (
        "In each class only the examples with the surest evidence are kept: the others are more "
        "often wrong."
    ),
    ("select", "agreement"): (
        "Only examples on which weak label and prior agree are kept: two sources that err for "
        "different reasons are seldom wrong together (co-training, Blum and Mitchell 1998)."
    ),
    ("select", "neighbours"): (
        "In each class the examples are kept whose label their nearest neighbours in the student's "
        "embedding space share (after overlap density, arXiv 2412.03881, and TopoFilter, "
        "arXiv 2012.04835)."
    ),
    ("weighting", "confidence"): "Each example counts as much as its evidence is sure.",
    ("weighting", "agreement"): (
        "Examples on which weak label and prior disagree count less, but are not lost."
    ),
    ("curriculum", "confident_first"): (
        "The surest half is learnt first, then everything at half the rate: what is easy shapes "
        "the student before what is noisy (Bengio et al. 2009)."
    ),
    ("loss", "logconf"): (
        "The confidence loss lets the student increasingly trust its own answers (Burns et al. "
        "2023, section 4.3)."
    ),
    ("loss", "reverse_cross_entropy"): (
        "Reverse cross-entropy forgives a student that is unsure of a confident wrong label "
        "(arXiv 2502.11107)."
    ),
    ("members", 2): "Two students are fitted in different orders and averaged.",
    ("members", 3): "Three students are fitted in different orders and averaged.",
    ("views", "plain+swap"): (
        "Each pair is judged in both orders, so that a preference for a position cancels."
    ),
}

KEPT: Mapping[tuple[str, Value], str] = {
    ("select", "all"): "All of them are used.",
    ("select", "confident"): "Of each class the share with the surest evidence is kept.",
    ("select", "agreement"): "Those are kept on which weak label and prior take the same side.",
    ("select", "neighbours"): (
        "Of each class the share is kept whose nearest neighbours agree with it most."
    ),
}

STEPS: Mapping[tuple[str, Value], str] = {
    ("prior", "standardised"): (
        "Ask the pretrained student for its zero-shot log-odds z; centre and scale them to m."
    ),
    ("prior", "regressed"): (
        "Ask the pretrained student for its zero-shot log-odds z; fit m = a·z + b to the weak "
        "labels by logistic regression."
    ),
    ("signal", "weak"): "Take the weak labels as evidence q.",
    ("signal", "prior"): "Take the prior σ(m) as evidence q.",
    ("signal", "mixture"): "Add the weak labels' log-odds and strength·m; their σ is evidence q.",
    ("generations", 1): (
        "Fit students on parts of the data; replace q by their predictions of the other parts."
    ),
    ("generations", 2): (
        "Fit students on parts of the data; replace q by their predictions of the other parts; "
        "do so once more."
    ),
    ("labels", "soft"): "Take q as targets.",
    ("labels", "hard"): "Harden q to targets 0 and 1.",
    ("labels", "sharpened"): "Double the log-odds of q for the targets.",
    ("labels", "tempered"): "Halve the log-odds of q for the targets.",
    ("select", "confident"): "Keep the surest share of each class.",
    ("select", "agreement"): "Keep the examples on which weak label and prior take one side.",
    ("select", "neighbours"): (
        "Keep the share of each class with the most support by nearest neighbours (cosine of the "
        "pretrained student's embeddings)."
    ),
    ("weighting", "confidence"): "Weight each example by |2q − 1|, but not below `least`.",
    ("weighting", "agreement"): "Weight examples on which weak label and prior differ `doubted`.",
    ("curriculum", "confident_first"): (
        "Fit a student to the targets by the objective above, first to the surest part (`easy`) of "
        "each class, then to all that is kept at the rate times `slower`."
    ),
    ("curriculum", "none"): "Fit a student to the targets by the objective above.",
    ("members", 2): "Do so with two students, in different orders.",
    ("members", 3): "Do so with three students, in different orders.",
    ("views", "plain+swap"): "Let each student judge every pair in both orders.",
    ("aggregate", "mean"): "Average the probabilities.",
    ("aggregate", "logit_mean"): "Average the log-odds.",
}

FAMILIES: Mapping[tuple[str, Value], str] = {
    ("generations", 1): "self-training",
    ("generations", 2): "self-training",
    ("select", "neighbours"): "model internals",
    ("signal", "prior"): "unsupervised elicitation",
    ("signal", "mixture"): "unsupervised elicitation",
    ("select", "confident"): "data filtering",
    ("select", "agreement"): "data filtering",
    ("weighting", "confidence"): "confidence weighting",
    ("weighting", "agreement"): "confidence weighting",
    ("curriculum", "confident_first"): "curriculum",
    ("loss", "logconf"): "loss function",
    ("loss", "reverse_cross_entropy"): "loss function",
    ("members", 2): "ensemble",
    ("members", 3): "ensemble",
    ("labels", "soft"): "distillation",
    ("labels", "sharpened"): "distillation",
    ("labels", "tempered"): "distillation",
}


def title_of(design: Design) -> str:
    """One line of at most TITLE_WIDTH characters, which ends in … if it leaves components out."""
    words = _found(WORDS, design)
    title = textwrap.shorten(", ".join(words), TITLE_WIDTH, placeholder=" …")
    return title[0].upper() + title[1:]


def ideas_of(design: Design) -> list[str]:
    """Why each component may help, in the order of the pipeline."""
    return _found(IDEAS, design)


def data_of(design: Design) -> str:
    """Which inputs and whose answers a method uses."""
    weak = design.signal != "prior" or "agreement" in (design.select, design.weighting)
    fitted = design.uses_prior and design.prior == "regressed"
    sources = ["the weak supervisor's probabilities p_w"] if weak or fitted else []
    if design.uses_prior:
        sources.append("the pretrained student's zero-shot answers")
    return " ".join(
        [f"The unlabelled training inputs with {' and '.join(sources)}.", *_found(KEPT, design)]
    )


def steps_of(design: Design) -> list[str]:
    """What a method does, in its order."""
    chosen = design.as_dict()
    asked = {name: chosen[name] for name in ("prior",) if name in chosen}
    return [STEPS[key] for key in (asked | chosen).items() if key in STEPS]


def family_of(design: Design) -> str:
    """The first family of `aar_lab.cards.FAMILIES` that a component belongs to."""
    chosen = set(design.as_dict().items())
    return next((family for key, family in FAMILIES.items() if key in chosen), "other")


def _found(table: Mapping[tuple[str, Value], str], design: Design) -> list[str]:
    return [table[key] for key in design.as_dict().items() if key in table]
