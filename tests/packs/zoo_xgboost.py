"""The zoo of xgboost, see tests/packs."""

from __future__ import print_function

PACK = "xgboost"
IMPORTS = "xgboost numpy sklearn.pipeline sklearn.preprocessing sklearn.multioutput"
SKIPPED = ("xgboost.dask", "xgboost.spark", "xgboost.rabit", "xgboost.collective", "xgboost.tracker", "xgboost.testing")
LONGEST = 5500  # no booster is much shorter
_TOOL = "a tool, not a value"
_CALLBACK = "it is called while a model is trained"
WITHOUT = {
    "xgboost.callback.EvaluationMonitor": _CALLBACK,
    "xgboost.callback.TrainingCallback": _CALLBACK,
    "xgboost.collective": "it speaks to other machines",
    "xgboost.core._RefMixIn": _TOOL,
    "xgboost.libpath": _TOOL,
    "xgboost.sklearn.XGBRankerMixIn": _TOOL,
}
KEPT = {
    "xgboost.compat.XGBoostLabelEncoder": "up to 1.5 or so",
}

VALUES = [
    ("booster", "booster()"),
    ("booster.named", "booster(feature_names=['a', 'b', 'c'], feature_types=['float', 'int', 'q'])"),
    ("booster.attributes", "noted(booster())"),
    ("booster.linear", "booster(booster='gblinear')"),
    ("booster.dart", "booster(booster='dart')"),
    ("booster.stopped", "stopped()"),
    ("classifier", "fit(xgboost.XGBClassifier(n_estimators=2, max_depth=1), two)"),
    ("classifier.many", "fit(xgboost.XGBClassifier(n_estimators=1, max_depth=1), target)"),
    ("classifier.unfitted", "xgboost.XGBClassifier()"),
    ("classifier.stopped", "fit(xgboost.XGBClassifier(n_estimators=2, max_depth=1, early_stopping_rounds=1, "
     "eval_metric='logloss'), two, eval_set=[(data, two)], verbose=False)"),
    ("classifier.stopped.earlier", "fit(xgboost.XGBClassifier(n_estimators=2, max_depth=1), two, early_stopping_rounds=1, "
     "eval_set=[(data, two)], verbose=False)"),
    ("classifier.keywords", "xgboost.XGBClassifier(verbosity=0, sketch_eps=0.1)"),
    ("regressor", "fit(xgboost.XGBRegressor(n_estimators=2, max_depth=1), data[:, 0])"),
    ("regressor.unfitted", "xgboost.XGBRegressor(missing=0, objective='reg:squarederror')"),
    ("regressor.given", "xgboost.XGBRegressor(max_depth=3, learning_rate=0.1, gamma=0.5, booster='gbtree', "
     "tree_method='hist', monotone_constraints=(1, 0, -1), interaction_constraints='[[0, 1]]', reg_alpha=1, n_jobs=2)"),
    ("regressor.given.dict", "xgboost.XGBRegressor(monotone_constraints={'a': 1}, interaction_constraints=[['a', 'b']], "
     "eval_metric=['rmse', 'mae'], feature_types=['c', 'q', 'q'], enable_categorical=True, device='cpu')"),
    ("regressor.random", "xgboost.XGBRegressor(random_state=numpy.random.RandomState(0), base_score=numpy.float64(0.5))"),
    ("regressor.metric", "xgboost.XGBRegressor(eval_metric=sklearn.metrics.mean_absolute_error)"),
    ("regressor.frame", "fit_frame(xgboost.XGBRegressor(n_estimators=1, max_depth=1))"),
    ("regressor.early", "fit(xgboost.XGBRegressor(n_estimators=2, max_depth=1, callbacks=[xgboost.callback.EarlyStopping("
     "rounds=1, save_best=True)]), data[:, 0], eval_set=[(data, data[:, 0])], verbose=False)"),
    ("early", "xgboost.callback.EarlyStopping(rounds=5)"),
    ("ranker", "fit(xgboost.XGBRanker(n_estimators=1, max_depth=1), two, group=[15, 15])"),
    ("forest.classifier", "fit(xgboost.XGBRFClassifier(n_estimators=2, max_depth=1), two)"),
    ("forest.regressor", "fit(xgboost.XGBRFRegressor(n_estimators=2, max_depth=1), data[:, 0])"),
    ("model", "xgboost.XGBModel()"),
    ("pipeline", "fit(sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), "
     "xgboost.XGBClassifier(n_estimators=1, max_depth=1)), two)"),
    ("error", "xgboost.core.XGBoostError('a')"),
]  # fmt: skip

try:
    import numpy

    data = numpy.random.RandomState(0).rand(30, 3)
    target, two = numpy.arange(30) % 3, numpy.arange(30) % 2
except ImportError:
    pass


def booster(feature_names=None, feature_types=None, **given):
    """A model of two trees."""
    import xgboost

    matrix = xgboost.DMatrix(data, two, feature_names=feature_names, feature_types=feature_types)
    return xgboost.train(dict(given, max_depth=1, nthread=1, verbosity=0), matrix, 2)


def stopped():
    """A model that knows its best step."""
    import xgboost

    matrix = xgboost.DMatrix(data, two)
    given = {"max_depth": 1, "nthread": 1, "verbosity": 0}
    return xgboost.train(given, matrix, 3, evals=[(matrix, "all")], early_stopping_rounds=1, verbose_eval=False)


def noted(model):
    model.set_attr(note="a")
    return model


def fit(estimator, labels, **given):
    """An estimator, fitted to what all of them are fitted to."""
    return estimator.fit(data, labels, **given)


def fit_frame(estimator):
    """An estimator, fitted to a frame."""
    import pandas

    return estimator.fit(pandas.DataFrame(data, columns=["a", "b", "c"]), data[:, 0])
