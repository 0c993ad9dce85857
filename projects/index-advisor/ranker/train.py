"""Grows the trees of the ranker: from stdin, as `train.ts` gives it, to stdout.

In:  {"features": [names], "rows": [[numbers or null]], "labels": [0 or 1], "weights": [numbers],
      "predict": [[numbers or null]], "trees": 200, "seed": 1}
Out: {"model": what src/ranker/predict.ts reads, "predictions": [probabilities of "predict"]}

One thread and no sampling: the same rows give the same trees on the same kind of machine.
"""

import json
import sys

import lightgbm
import numpy

MISSING = {"None": "none", "Zero": "zero", "NaN": "nan"}


def parameters(seed):
    return {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 20,
        "lambda_l2": 1.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }


def flat(root):
    """A tree as columns: a child >= 0 is a split, below 0 the leaf -child - 1."""
    tree = {key: [] for key in ("feature", "threshold", "left", "right", "defaultLeft", "missing", "leaves")}

    def add(node):
        if "leaf_value" in node:
            tree["leaves"].append(node["leaf_value"])
            return -len(tree["leaves"])
        if node["decision_type"] != "<=":
            raise ValueError(f"predict.ts doesn't know the decision {node['decision_type']!r}.")
        at = len(tree["feature"])
        tree["feature"].append(node["split_feature"])
        tree["threshold"].append(node["threshold"])
        tree["defaultLeft"].append(int(node["default_left"]))
        tree["missing"].append(MISSING[node["missing_type"]])
        tree["left"].append(None)
        tree["right"].append(None)
        tree["left"][at] = add(node["left_child"])
        tree["right"][at] = add(node["right_child"])
        return at

    add(root)
    return tree


def matrix(rows, width):
    return numpy.array(rows, dtype=numpy.float64).reshape(len(rows), width)


def main():
    given = json.load(sys.stdin)
    names = given["features"]
    data = lightgbm.Dataset(
        matrix(given["rows"], len(names)), label=given["labels"], weight=given["weights"]
    )
    booster = lightgbm.train(parameters(given["seed"]), data, num_boost_round=given["trees"])
    dump = booster.dump_model()
    asked = matrix(given["predict"], len(names))
    gains = booster.feature_importance("gain")
    json.dump(
        {
            "lightgbm": lightgbm.__version__,
            "trees": [flat(tree["tree_structure"]) for tree in dump["tree_info"]],
            "predictions": booster.predict(asked).tolist() if len(asked) else [],
            "gains": dict(zip(names, (gains / max(1e-9, gains.sum())).tolist())),
        },
        sys.stdout,
    )


main()
