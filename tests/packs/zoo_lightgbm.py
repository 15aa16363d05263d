"""The zoo of lightgbm, see tests/packs."""

from __future__ import print_function

PACK = "lightgbm"
IMPORTS = "lightgbm numpy sklearn.pipeline sklearn.preprocessing"
SKIPPED = ("lightgbm.dask", "lightgbm.plotting", "lightgbm.libpath")
LONGEST = 5500  # no booster is much shorter
_TOOL = "a tool, not a value"
WITHOUT = {
    "lightgbm.basic.LGBMDeprecationWarning": _TOOL,
    "lightgbm.basic._ConfigAliases": _TOOL,
    "lightgbm.basic._DummyLogger": _TOOL,
    "lightgbm.basic._TempFile": _TOOL,
    "lightgbm.callback": "it is called while a model is trained",
    "lightgbm.engine.CVBooster": "it answers every attribute with a method, and up to 3.3 pickle took one of them for its own",
    "lightgbm.basic.Dataset": "data on the way to a booster: what its attribute points to is freed with it",
}
KEPT = {}

VALUES = [
    ("booster", "booster()"),
    ("booster.many", "booster(objective='multiclass', num_class=3)"),
    ("booster.linear", "booster(linear_tree=True)"),
    ("booster.dart", "booster(boosting='dart')"),
    ("booster.forest", "booster(boosting='rf', bagging_freq=1, bagging_fraction=0.5)"),
    ("booster.stopped", "stopped()"),
    ("booster.read", "lightgbm.Booster(model_str=booster().model_to_string())"),
    ("classifier", "fit(lightgbm.LGBMClassifier(**small), two)"),
    ("classifier.many", "fit(lightgbm.LGBMClassifier(**small), target)"),
    ("classifier.texts", "fit(lightgbm.LGBMClassifier(**small), numpy.array(['a', 'b', 'c'])[target])"),
    ("classifier.weighted", "fit(lightgbm.LGBMClassifier(class_weight={0: 1, 1: 2}, **small), two)"),
    ("classifier.balanced", "fit(lightgbm.LGBMClassifier(class_weight='balanced', **small), two)"),
    ("classifier.unfitted", "lightgbm.LGBMClassifier()"),
    ("classifier.evaluated", "fit(lightgbm.LGBMClassifier(**small), two, eval_set=[(data, two)], eval_metric='auc')"),
    ("regressor", "fit(lightgbm.LGBMRegressor(**small), data[:, 0])"),
    ("regressor.unfitted", "lightgbm.LGBMRegressor(num_leaves=7, min_child_samples=2, subsample=0.5)"),
    ("regressor.keywords", "lightgbm.LGBMRegressor(verbose=-1, lambda_l1=0.5, monotone_constraints=[1, 0, -1], seed=1)"),
    ("regressor.random", "lightgbm.LGBMRegressor(random_state=numpy.random.RandomState(0))"),
    ("regressor.frame", "fit_frame(lightgbm.LGBMRegressor(**small))"),
    ("ranker", "fit(lightgbm.LGBMRanker(**small), two, group=[15, 15])"),
    ("model", "lightgbm.LGBMModel(objective='binary')"),
    ("pipeline", "fit(sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), "
     "lightgbm.LGBMClassifier(**small)), two)"),
    ("folds", "folds()"),
    ("dataset", "lightgbm.Dataset(data, two)"),
    ("error", "lightgbm.basic.LightGBMError('a')"),
]  # fmt: skip

small = {"n_estimators": 2, "num_leaves": 2, "min_child_samples": 1, "n_jobs": 1, "verbose": -1}

try:
    import numpy

    data = numpy.random.RandomState(0).rand(30, 3)
    target, two = numpy.arange(30) % 3, numpy.arange(30) % 2
except ImportError:
    pass


def _given(**given):
    return dict({"objective": "binary", "num_leaves": 2, "min_data_in_leaf": 1, "num_threads": 1, "verbose": -1}, **given)


def booster(**given):
    """A model of two trees."""
    import lightgbm

    labels = target if "num_class" in given else two
    return lightgbm.train(_given(**given), lightgbm.Dataset(data, labels), 2)


def stopped():
    """A model that knows its best step."""
    import lightgbm

    whole = lightgbm.Dataset(data, two)
    given = _given(metric="auc", early_stopping_round=1)
    return lightgbm.train(given, whole, 3, valid_sets=[whole], valid_names=["all"])


def folds():
    """The models of a cross-validation."""
    import lightgbm

    whole = lightgbm.Dataset(data, two)
    return lightgbm.cv(_given(), whole, 1, nfold=2, return_cvbooster=True)["cvbooster"]


def fit(estimator, labels, **given):
    """An estimator, fitted to what all of them are fitted to."""
    return estimator.fit(data, labels, **given)


def fit_frame(estimator):
    """An estimator, fitted to a frame."""
    import pandas

    return estimator.fit(pandas.DataFrame(data, columns=["a", "b", "c"]), data[:, 0])
