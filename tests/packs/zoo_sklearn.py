"""The zoo of scikit-learn, see tests/packs: every estimator, fitted to little data."""

PACK = "sklearn"
IMPORTS = ("numpy sklearn sklearn.base sklearn.pipeline sklearn.preprocessing sklearn.linear_model sklearn.tree sklearn.neighbors "
           "sklearn.ensemble sklearn.model_selection sklearn.feature_extraction.text sklearn.feature_selection sklearn.svm "
           "sklearn.compose sklearn.metrics sklearn.gaussian_process.kernels sklearn.cluster sklearn.utils sklearn.exceptions "
           "sklearn.impute sklearn.decomposition sklearn.naive_bayes sklearn.mixture sklearn.calibration sklearn.isotonic "
           "scipy.sparse scipy.stats sklearn.externals.joblib sklearn.datasets sklearn.kernel_approximation "
           "sklearn.neural_network sklearn.callback sklearn.utils._param_validation")
SKIPPED = ("sklearn.externals", "sklearn.datasets", "sklearn.utils._test_common", "sklearn.utils._testing",
           "sklearn.utils.estimator_checks", "sklearn.inspection._plot", "sklearn.metrics._plot",
           "sklearn.model_selection._plot")
_BASE = "what other classes are made from; nothing is made of it itself"
_FITTING = "a part of a fit while it runs, which no fitted estimator holds"
_SHOWN = "how an estimator is drawn or printed"
WITHOUT = {
    "sklearn.utils._mocking": "estimators for tests",
    "sklearn._loss._loss.CyLossFunction": _BASE,
    "sklearn._loss.loss.ArrayAPILossMixin": _BASE,
    "sklearn._loss.loss.HalfBinomialLossArrayAPI": _FITTING,
    "sklearn._loss.loss.HalfMultinomialLossArrayAPI": _FITTING,
    "sklearn._loss.loss.HalfPoissonLossArrayAPI": _FITTING,
    "sklearn.callback._callback_context": _FITTING,
    "sklearn.callback._callback_support": _BASE,
    "sklearn.callback._progressbar._StyledColumnMixin": _SHOWN,
    "sklearn.callback._progressbar._StyledTimeRemainingColumn": _SHOWN,
    "sklearn.linear_model._ridge._IdentityRegressor": _FITTING,
    "sklearn.linear_model._ridge._RidgeGCV": _FITTING,
    "sklearn.metrics._pairwise_distances_reduction": "static methods, of which nothing is an instance",
    "sklearn.tree._criterion": "C code that believes the sizes it is given; a tree names its criterion by a text",
    "sklearn.tree._export": _SHOWN,
    "sklearn.tree._reingold_tilford": _SHOWN,
    "sklearn.tree._tree.TreeBuilder": _FITTING,
    "sklearn.tree._tree._CCPPruneController": _FITTING,
    "sklearn.tree._tree.__pyx_unpickle_TreeBuilder": _FITTING,
    "sklearn.tree._tree.__pyx_unpickle__CCPPruneController": _FITTING,
    "sklearn.utils._param_validation": "what the parameters of a class may be, which no object holds",
    "sklearn.utils._plotting": _SHOWN,
    "sklearn.utils._pprint": _SHOWN,
    "sklearn.utils._repr_html": _SHOWN,
    "sklearn.utils._set_output": "what makes frames of arrays, for the whole process",
    "sklearn.utils._tags": "what an estimator says of itself, made anew for each question",
    "sklearn.utils._vector_sentinel": "C++ vectors of a search for neighbours while it runs",
    "sklearn.utils.deprecation.deprecated": "a decorator",
    "sklearn.utils.optimize": _FITTING,
}
WITHOUT.update(dict.fromkeys("""
sklearn.base.BiclusterMixin sklearn.base.ClassNamePrefixFeaturesOutMixin sklearn.base.ClassifierMixin
sklearn.base.ClusterMixin sklearn.base.DensityMixin sklearn.base.MetaEstimatorMixin sklearn.base.MultiOutputMixin
sklearn.base.OneToOneFeatureMixin sklearn.base.OutlierMixin sklearn.base.RegressorMixin sklearn.base.TransformerMixin
sklearn.base._UnstableArchMixin sklearn.cluster._feature_agglomeration.AgglomerationTransform
sklearn.decomposition._nmf._BaseNMF sklearn.decomposition._sparse_pca._BaseSparsePCA
sklearn.discriminant_analysis.DiscriminantAnalysisPredictionMixin sklearn.feature_extraction.text._VectorizerMixin
sklearn.gaussian_process.kernels.GenericKernelMixin sklearn.gaussian_process.kernels.NormalizedKernelMixin
sklearn.gaussian_process.kernels.StationaryKernelMixin sklearn.impute._base._BaseImputer
sklearn.linear_model._base.LinearClassifierMixin sklearn.linear_model._base.SparseCoefMixin
sklearn.linear_model._glm.glm._GeneralizedLinearRegressor sklearn.linear_model._ridge._BaseRidgeCV
sklearn.linear_model._ridge._RidgeClassifierMixin sklearn.linear_model._sgd_fast.Classification
sklearn.linear_model._sgd_fast.Regression sklearn.metrics._dist_metrics.DistanceMetric
sklearn.metrics._dist_metrics.__pyx_unpickle_DistanceMetric sklearn.model_selection._split.BaseShuffleSplit
sklearn.model_selection._split.GroupsConsumerMixin sklearn.model_selection._split._UnsupportedGroupCVMixin
sklearn.neighbors._base.KNeighborsMixin sklearn.neighbors._base.RadiusNeighborsMixin
sklearn.neural_network._stochastic_optimizers.BaseOptimizer sklearn.preprocessing._encoders._BaseEncoder
sklearn.utils._metadata_requests._MetadataRequester sklearn.utils._metadata_requests._RoutingNotSupportedMixin
""".split(), _BASE))
KEPT = {
    "scipy.sparse": "in files of joblib, where their arrays follow",
    "sklearn.covariance._graph_lasso.GraphLasso": "0.19 to 0.21",
    "sklearn.covariance._graph_lasso.GraphLassoCV": "0.19 to 0.21",
    "sklearn.cross_decomposition._cca": "in cross_decomposition.cca_ of 0.19 to 0.21, and here up to 0.23",
    "sklearn.decomposition._pca.RandomizedPCA": "0.19",
    "sklearn.gaussian_process.correlation_models": "0.19",
    "sklearn.gaussian_process.gaussian_process": "0.19",
    "sklearn.gaussian_process.regression_models": "0.19",
    "sklearn.linear_model._glm.glm.GeneralizedLinearRegressor": "0.23 to 1.0",
    "sklearn.linear_model._glm.link": "0.23 to 1.0",
    "sklearn.linear_model.randomized_l1": "0.19 and 0.20",
    "sklearn.metrics._scorer._ProbaScorer": "0.19 to 1.3",
    "sklearn.metrics._scorer._ThresholdScorer": "0.19 to 1.3",
    "sklearn.metrics._dist_metrics.WMinkowskiDistance32": "1.2",
    "sklearn.mixture.dpgmm": "0.19",
    "sklearn.mixture.gmm": "0.19",
    "sklearn.model_selection._search_successive_halving._refit_callable": "0.24",
    "sklearn.neighbors.approximate": "0.19 and 0.20",
    "sklearn.preprocessing._data.OneHotEncoder": "0.19",
    "sklearn.preprocessing._data.PolynomialFeatures": "0.19 to 0.24",
    "sklearn.preprocessing.imputation": "0.19 to 0.21",
    "sklearn._loss.glm_distribution": "0.23 to 1.0",
    "sklearn.ensemble._gb_losses": "0.21 to 1.3",
    "sklearn.ensemble._hist_gradient_boosting.loss": "0.21 to 1.0",
}
KEPT.update(dict.fromkeys(
    ("sklearn.ensemble._gb.%s" % name for name in "BinomialDeviance ExponentialLoss HuberLossFunction LeastAbsoluteError "
     "LeastSquaresError LogOddsEstimator MeanEstimator MultinomialDeviance PriorProbabilityEstimator QuantileEstimator "
     "QuantileLossFunction ScaledLogOddsEstimator VerboseReporter ZeroEstimator".split()),
    "in ensemble.gradient_boosting, 0.19 and 0.20",
))
KEPT.update(dict.fromkeys(
    ("sklearn._loss._loss.__pyx_unpickle_Cy%s" % name for name in "AbsoluteError ExponentialLoss HalfBinomialLoss "
     "HalfGammaLoss HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss".split()),
    "1.1 to 1.3; later releases call the class",
))
KEPT.update(dict.fromkeys(
    ("sklearn.linear_model._sgd_fast.%s" % name for name in "EpsilonInsensitive Huber Log SquaredEpsilonInsensitive "
     "SquaredLoss".split()),
    "in estimators that learn by descent, which held their loss up to 1.5",
))
KEPT.update(dict.fromkeys(
    ("sklearn.metrics._dist_metrics.%sDistance" % name for name in "BrayCurtis Canberra Chebyshev Dice Hamming Jaccard "
     "Kulsinski Matching Minkowski RogersTanimoto RussellRao SokalMichener SokalSneath WMinkowski".split()),
    "distances of 0.19 to 1.2, of which later ones are two each, by the type of the numbers",
))

VALUES = [
    ("pipeline", "fit(sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), "
     "sklearn.linear_model.LogisticRegression()))"),
    ("pipeline.union", "fit(sklearn.pipeline.make_union(sklearn.preprocessing.StandardScaler(), "
     "sklearn.decomposition.PCA(2)))"),
    ("pipeline.columns", "fit(sklearn.compose.ColumnTransformer([('a', sklearn.preprocessing.MinMaxScaler(), [0, 1]), "
     "('b', 'passthrough', [2])], remainder='drop'))"),
    ("pipeline.text", "texts(sklearn.pipeline.make_pipeline(sklearn.feature_extraction.text.TfidfVectorizer(), "
     "sklearn.naive_bayes.MultinomialNB()))"),
    ("text.count", "texts(sklearn.feature_extraction.text.CountVectorizer(ngram_range=(1, 2)))"),
    ("text.char", "texts(sklearn.feature_extraction.text.CountVectorizer(analyzer='char'))"),
    ("text.tokens", "texts(sklearn.feature_extraction.text.CountVectorizer(tokenizer=str.split, preprocessor=str.lower))"),
    ("text.hash", "texts(sklearn.feature_extraction.text.HashingVectorizer(n_features=16))"),
    ("function", "fit(sklearn.preprocessing.FunctionTransformer(numpy.log1p, inverse_func=numpy.expm1))"),
    ("select", "fit(sklearn.feature_selection.SelectKBest(sklearn.feature_selection.chi2, k=2))"),
    ("select.mutual", "fit(sklearn.feature_selection.SelectKBest(sklearn.feature_selection.mutual_info_classif, k=2))"),
    ("search", "fit(sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {'alpha': [1, 2]}, cv=2))"),
    ("search.random", "fit(sklearn.model_selection.RandomizedSearchCV(sklearn.linear_model.Ridge(), "
     "{'alpha': scipy.stats.uniform(0, 1)}, n_iter=2, cv=2, random_state=0))"),
    ("search.scorer", "fit(sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {'alpha': [1, 2]}, cv=2, "
     "scoring=sklearn.metrics.make_scorer(sklearn.metrics.mean_squared_error, greater_is_better=False)))"),
    ("search.splits", "sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {'alpha': [1, 2]}, "
     "cv=sklearn.model_selection.KFold(3, shuffle=True, random_state=1))"),
    ("boost.huber", "fit(sklearn.ensemble.GradientBoostingRegressor(n_estimators=3, loss='huber'))"),
    ("boost.quantile", "fit(sklearn.ensemble.GradientBoostingRegressor(n_estimators=3, loss='quantile'))"),
    ("boost.exponential", "fit(sklearn.ensemble.GradientBoostingClassifier(n_estimators=3, loss='exponential'), two)"),
    ("boost.two", "fit(sklearn.ensemble.GradientBoostingClassifier(n_estimators=3), two)"),
    ("histogram.poisson", "fit(sklearn.ensemble.HistGradientBoostingRegressor(max_iter=3, loss='poisson'), two)"),
    ("histogram.gamma", "fit(sklearn.ensemble.HistGradientBoostingRegressor(max_iter=3, loss='gamma'), two + 1)"),
    ("histogram.quantile", "fit(sklearn.ensemble.HistGradientBoostingRegressor(max_iter=3, loss='quantile', quantile=.5))"),
    ("histogram.absolute", "fit(sklearn.ensemble.HistGradientBoostingRegressor(max_iter=3, loss='absolute_error'))"),
    ("histogram.stopping", "fit(sklearn.ensemble.HistGradientBoostingClassifier(max_iter=3, early_stopping=True))"),
    ("histogram.two", "fit(sklearn.ensemble.HistGradientBoostingClassifier(max_iter=3), two)"),
    ("ada", "fit(sklearn.ensemble.AdaBoostClassifier(n_estimators=3))"),
    ("forest.scored", "fit(sklearn.ensemble.RandomForestClassifier(5, oob_score=True, random_state=0))"),
    ("forest.many", "fit(sklearn.ensemble.ExtraTreesRegressor(3, criterion='absolute_error' if hasattr(sklearn.tree, "
     "'BaseDecisionTree') else 'mae', random_state=0))"),
    ("tree.entropy", "fit(sklearn.tree.DecisionTreeClassifier(criterion='entropy', max_depth=2))"),
    ("tree.many", "fit(sklearn.tree.DecisionTreeRegressor(), numpy.column_stack([target, target]))"),
    ("neighbors.ball", "fit(sklearn.neighbors.KNeighborsClassifier(algorithm='ball_tree'))"),
    ("neighbors.kd", "fit(sklearn.neighbors.KNeighborsClassifier(algorithm='kd_tree', p=1))"),
    ("neighbors.brute", "fit(sklearn.neighbors.KNeighborsRegressor(algorithm='brute', weights='distance'))"),
    ("neighbors.metrics", "[fit(sklearn.neighbors.NearestNeighbors(metric=name, algorithm='ball_tree')) for name in "
     "'euclidean manhattan chebyshev minkowski canberra braycurtis hamming'.split()]"),
    ("neighbors.haversine", "sklearn.neighbors.BallTree(data[:, :2], metric='haversine')"),
    ("neighbors.mahalanobis", "sklearn.neighbors.BallTree(data, metric='mahalanobis', V=numpy.eye(4))"),
    ("neighbors.seuclidean", "sklearn.neighbors.BallTree(data, metric='seuclidean', V=numpy.ones(4))"),
    ("tree.kd", "sklearn.neighbors.KDTree(data)"),
    ("tree.kd.single", "sklearn.neighbors.KDTree(data.astype('f4'))"),
    ("sgd", "[fit(sklearn.linear_model.SGDClassifier(loss=name, max_iter=5, tol=None)) for name in 'hinge modified_huber "
     "squared_hinge perceptron'.split()]"),
    ("sgd.regression", "[fit(sklearn.linear_model.SGDRegressor(loss=name, max_iter=5, tol=None)) for name in 'huber "
     "epsilon_insensitive squared_epsilon_insensitive'.split()]"),
    ("svm.kernel", "fit(sklearn.svm.SVC(kernel='poly', probability=True, random_state=0))"),
    ("svm.sparse", "sklearn.svm.SVC().fit(scipy.sparse.csr_matrix(data), target)"),
    ("process", "fit(sklearn.gaussian_process.GaussianProcessRegressor(sklearn.gaussian_process.kernels.RBF() + "
     "sklearn.gaussian_process.kernels.WhiteKernel() * sklearn.gaussian_process.kernels.ConstantKernel()))"),
    ("kernels", "[getattr(sklearn.gaussian_process.kernels, name)() for name in 'RBF Matern RationalQuadratic DotProduct "
     "ExpSineSquared WhiteKernel ConstantKernel PairwiseKernel'.split()]"),
    ("kernels.joined", "sklearn.gaussian_process.kernels.Exponentiation(sklearn.gaussian_process.kernels.RBF(), 2)"),
    ("kernels.compound", "sklearn.gaussian_process.kernels.CompoundKernel([sklearn.gaussian_process.kernels.RBF()])"),
    ("calibrated", "fit(sklearn.calibration.CalibratedClassifierCV(sklearn.naive_bayes.GaussianNB(), cv=2))"),
    ("calibrated.isotonic", "fit(sklearn.calibration.CalibratedClassifierCV(sklearn.naive_bayes.GaussianNB(), cv=2, "
     "method='isotonic'))"),
    ("voting", "fit(sklearn.ensemble.VotingClassifier([('a', sklearn.naive_bayes.GaussianNB()), ('b', "
     "sklearn.tree.DecisionTreeClassifier())]))"),
    ("stacking", "fit(sklearn.ensemble.StackingClassifier([('a', sklearn.naive_bayes.GaussianNB()), ('b', "
     "sklearn.tree.DecisionTreeClassifier())], cv=2))"),
    ("imputer.knn", "fit(sklearn.impute.KNNImputer())"),
    ("imputer.iterative", "iterative()"),
    ("encoder", "sklearn.preprocessing.OneHotEncoder().fit([['a', 1], ['b', 2]])"),
    ("encoder.ordinal", "sklearn.preprocessing.OrdinalEncoder().fit([['a', 1], ['b', 2]])"),
    ("encoder.label", "sklearn.preprocessing.LabelEncoder().fit(['b', 'a'])"),
    ("dict", "sklearn.feature_extraction.DictVectorizer().fit([{'a': 1, 'b': 'x'}])"),
    ("bunch", "sklearn.utils.Bunch(a=1, b=numpy.arange(3))"),
    ("bunch.iris", "sklearn.datasets.load_iris()"),
    ("target", "fit(sklearn.compose.TransformedTargetRegressor(sklearn.linear_model.Ridge(), func=numpy.log1p, "
     "inverse_func=numpy.expm1))"),
    ("scorers", "[sklearn.metrics.make_scorer(sklearn.metrics.accuracy_score), sklearn.metrics.make_scorer("
     "sklearn.metrics.f1_score, average='macro')]"),
    ("splitters", "[getattr(sklearn.model_selection, name)() for name in 'KFold StratifiedKFold GroupKFold ShuffleSplit "
     "StratifiedShuffleSplit LeaveOneOut TimeSeriesSplit RepeatedKFold RepeatedStratifiedKFold GroupShuffleSplit "
     "LeaveOneGroupOut'.split()]"),
    ("grid", "[sklearn.model_selection.ParameterGrid({'a': [1, 2]}), sklearn.model_selection.ParameterSampler("
     "{'a': [1, 2]}, 1)]"),
    ("search.metrics", "fit(sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {'alpha': [1, 2]}, cv=2, "
     "scoring=['r2', 'neg_mean_squared_error'], refit='r2'))"),
    ("search.metrics.scorer", "sklearn.metrics._scorer._MultimetricScorer(scorers={'a': sklearn.metrics.make_scorer("
     "sklearn.metrics.r2_score)})"),
    ("search.given", "sklearn.model_selection.check_cv([(numpy.arange(3), numpy.arange(3, 6))])"),
    ("search.routing", "sklearn.model_selection.GridSearchCV(sklearn.linear_model.Ridge(), {}).get_metadata_routing()"),
    ("splitters.given", "[sklearn.model_selection.LeavePOut(2), sklearn.model_selection.LeavePGroupsOut(2), "
     "sklearn.model_selection.PredefinedSplit([0, 1, 0])]"),
    ("network.descent", "fit(sklearn.neural_network.MLPClassifier((3,), solver='sgd', max_iter=3))"),
    ("trees.single", "[sklearn.neighbors._kd_tree.KDTree32(data), sklearn.neighbors._kd_tree.KDTree64(data), "
     "sklearn.neighbors._ball_tree.BallTree32(data), sklearn.neighbors._ball_tree.BallTree64(data)]"),
    ("distances", "[sklearn.metrics.DistanceMetric.get_metric(name, dtype=kind) for name in 'euclidean manhattan "
     "chebyshev canberra braycurtis hamming jaccard dice rogerstanimoto russellrao sokalsneath matching haversine'.split() "
     "for kind in (numpy.float32, numpy.float64)]"),
    ("distances.given", "[made for kind in (numpy.float32, numpy.float64) for made in ("
     "sklearn.metrics.DistanceMetric.get_metric('minkowski', dtype=kind, p=3), "
     "sklearn.metrics.DistanceMetric.get_metric('mahalanobis', dtype=kind, V=numpy.eye(4)), "
     "sklearn.metrics.DistanceMetric.get_metric('seuclidean', dtype=kind, V=numpy.ones(4)))]"),
    ("kernels.parameters", "(sklearn.gaussian_process.kernels.RBF() + "
     "sklearn.gaussian_process.kernels.WhiteKernel()).hyperparameters"),
    ("columns.chosen", "[sklearn.compose.make_column_selector('a.*'), "
     "sklearn.compose.make_column_selector(dtype_include=[object, 'string'], dtype_exclude=numpy.number)]"),
    ("progress", "sklearn.callback.ProgressBar()"),
    ("error.parameter", "sklearn.utils._param_validation.InvalidParameterError('a')"),
    ("pandas", "framed(sklearn.preprocessing.StandardScaler())"),
    ("pandas.out", "framed(sklearn.preprocessing.StandardScaler().set_output(transform='pandas'))"),
]


def _arrays():
    import numpy

    random = numpy.random.RandomState(0)
    data = random.rand(30, 4)
    return data, numpy.arange(30) % 3, (numpy.arange(30) % 2)


try:
    data, target, two = _arrays()
except ImportError:
    pass


def fit(estimator, labels=None):
    """An estimator, fitted to what all of them are fitted to."""
    estimator.fit(data, target if labels is None else labels)
    return estimator


def texts(estimator):
    """An estimator, fitted to texts."""
    estimator.fit(["the first text", "a second one", "and the third"], [0, 1, 0])
    return estimator


def framed(estimator):
    """An estimator, fitted to a frame."""
    import pandas

    return estimator.fit(pandas.DataFrame(data, columns=["a", "b", "c", "d"]))


def iterative():
    """What has to be switched on first."""
    import sklearn.experimental.enable_iterative_imputer
    import sklearn.impute

    return fit(sklearn.impute.IterativeImputer(max_iter=2))


def more():
    """Every estimator that can be made from small data, and the functions that they are given."""
    import sklearn.feature_selection
    import sklearn.metrics

    for name, cls in sorted(estimators().items()):
        yield "estimator." + name, lambda cls=cls: fitted(cls)
        yield "unfitted." + name, lambda cls=cls: given(cls)
    for name in METRICS:
        yield "metric." + name, lambda name=name: getattr(sklearn.metrics, name)
    for name in SELECTORS:
        yield "selector." + name, lambda name=name: getattr(sklearn.feature_selection, name)


def estimators():
    """Every class of an estimator, in old releases too, whose own list wants tools for tests."""
    import inspect
    import pkgutil

    import sklearn
    import sklearn.base

    found = {}
    for _, name, _ in pkgutil.walk_packages(sklearn.__path__, "sklearn.", onerror=lambda _: None):
        if any(part in name for part in ("tests", "externals", "datasets", "testing", "setup", "_build", "estimator_checks")):
            continue
        try:
            module = __import__(name, fromlist=["x"])
        except Exception:  # noqa: BLE001 - a module that is not there for everybody
            continue
        for key, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, sklearn.base.BaseEstimator) and not key.startswith("_"):
                if not inspect.isabstract(value) and value.__module__.startswith("sklearn."):
                    found[key] = value
    return found


METRICS = """
accuracy_score balanced_accuracy_score f1_score precision_score recall_score roc_auc_score log_loss fbeta_score
jaccard_score cohen_kappa_score matthews_corrcoef average_precision_score brier_score_loss hamming_loss zero_one_loss
mean_squared_error mean_absolute_error r2_score median_absolute_error mean_squared_log_error explained_variance_score
max_error mean_absolute_percentage_error mean_pinball_loss mean_poisson_deviance mean_gamma_deviance
root_mean_squared_error adjusted_rand_score silhouette_score normalized_mutual_info_score confusion_matrix
ndcg_score dcg_score top_k_accuracy_score d2_tweedie_score v_measure_score
""".split()
SELECTORS = "chi2 f_classif f_regression mutual_info_classif mutual_info_regression r_regression".split()


#: What else some cannot do without, where there are four columns and thirty rows.
GIVEN = {
    "GaussianRandomProjection": {"n_components": 2},
    "SparseRandomProjection": {"n_components": 2},
    "TSNE": {"perplexity": 5},
}


def given(cls):
    """An estimator with what it cannot do without."""
    import sklearn.linear_model
    import sklearn.naive_bayes

    simple = sklearn.linear_model.Ridge()
    sure = sklearn.naive_bayes.GaussianNB()
    name = cls.__name__
    if name in ("GridSearchCV", "HalvingGridSearchCV"):
        return cls(simple, {"alpha": [1, 2]}, cv=2)
    if name in ("RandomizedSearchCV", "HalvingRandomSearchCV"):
        return cls(simple, {"alpha": [1, 2]}, cv=2)
    if name in ("ColumnTransformer",):
        return cls([("a", "passthrough", [0])])
    if name == "FeatureUnion":
        import sklearn.preprocessing

        return cls([("a", sklearn.preprocessing.StandardScaler())])
    if name == "FrozenEstimator":
        return cls(fit(sure))
    if name == "Pipeline":
        return cls([("a", sure)])
    if name.startswith(("Voting", "Stacking")):
        return cls([("a", sure if name.endswith("Classifier") else simple)])
    if name == "SparseCoder":
        import numpy

        return cls(numpy.eye(4))
    if name in ("ClassifierChain", "MultiOutputClassifier", "OneVsOneClassifier", "OneVsRestClassifier",
                "OutputCodeClassifier", "FixedThresholdClassifier", "TunedThresholdClassifierCV",
                "SelfTrainingClassifier"):
        return cls(sure)
    if name in ("RFE", "RFECV", "SelectFromModel", "SequentialFeatureSelector", "MultiOutputRegressor",
                "RegressorChain"):
        return cls(simple)
    return cls(**GIVEN.get(name, {}))


#: Who cannot do with so little.
TOO_FEW = (("max_iter", "TSNE"), ("max_iter", "OrthogonalMatchingPursuitCV"))


def fitted(cls):
    """The same, fitted to whichever data it takes."""
    import numpy

    estimator = given(cls)
    for key, value in (("n_estimators", 3), ("max_iter", 20), ("random_state", 0)):
        if key in estimator.get_params() and (key, cls.__name__) not in TOO_FEW:
            estimator.set_params(**{key: value})
    attempts = (
        lambda: estimator.fit(data, target),
        lambda: estimator.fit(data, two),
        lambda: estimator.fit(data, numpy.column_stack([two, two])),
        lambda: estimator.fit(data, data[:, 0] + 1),
        lambda: estimator.fit(data, data[:, :2]),
        lambda: estimator.fit(data[:, 0], target),
        lambda: estimator.fit(target),
        lambda: estimator.fit([[0, 1], [1, 2]]),
        lambda: estimator.fit([{"a": 1}, {"b": 2}]),
        lambda: estimator.fit(["a text", "another"]),
    )
    for attempt in attempts[:-1]:
        try:
            return attempt()
        except Exception:  # noqa: BLE001  # not the data that it takes
            continue
    return attempts[-1]()
