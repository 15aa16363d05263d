"""The zoo of scipy, see tests/packs."""

PACK = "scipy"
IMPORTS = ("numpy scipy scipy.sparse scipy.stats scipy.spatial scipy.spatial.transform scipy.interpolate scipy.optimize "
           "scipy.special scipy.signal scipy.integrate scipy.linalg scipy.cluster.hierarchy scipy.ndimage scipy.fft")
SKIPPED = ("scipy._lib", "scipy.io", "scipy.weave", "scipy.misc", "scipy.datasets",
           "scipy.special._precompute")  # which needs mpmath
WITHOUT = {}
_TUPLE = "a named tuple of 0.19 to 1.9; 1.11 has another class for it"
KEPT = {
    "scipy.stats._continuous_distns.frechet_l_gen": "0.19 to 1.5",
    "scipy.stats._continuous_distns.frechet_r_gen": "0.19 to 1.5",
    "scipy.stats._continuous_distns.gilbrat_gen": "0.19 to 1.9",
    "scipy.stats._continuous_distns.skew_norm_gen": "0.19 to 1.9",
    "scipy.stats._continuous_distns.trapz_gen": "0.19 to 1.5",
    "scipy.stats._distn_infrastructure.rv_frozen": "frozen distributions of 0.19 to 1.5",
    "scipy.stats._stats_py.KendalltauResult": _TUPLE,
    "scipy.stats._stats_py.Ks_2sampResult": "0.19; what 1.5 writes has another name",
    "scipy.stats._stats_py.MannwhitneyuResult": "a named tuple of 0.19 to 1.5",
    "scipy.stats._stats_py.PointbiserialrResult": _TUPLE,
    "scipy.stats._stats_py.Ttest_1sampResult": _TUPLE,
    "scipy.stats._stats_py.Ttest_relResult": _TUPLE,
    "scipy.stats._stats_py.WeightedTauResult": _TUPLE,
}
KEPT.update(dict.fromkeys(
    ("scipy.sparse.%s_array" % kind for kind in "bsr coo csc csr dia dok lil".split()),
    "in scipy.sparse._arrays, which wrote them in 1.10",
))

KINDS = "bsr coo csc csr dia dok lil".split()
FUNCTIONS = """
special.expit special.logit special.gamma special.gammaln special.erf special.softmax special.logsumexp special.xlogy
linalg.norm stats.pearsonr stats.spearmanr stats.zscore stats.mode stats.iqr spatial.distance.euclidean
spatial.distance.cosine spatial.distance.cityblock spatial.distance.correlation spatial.distance.hamming
optimize.rosen signal.medfilt spatial.distance.braycurtis spatial.distance.canberra spatial.distance.cdist
spatial.distance.chebyshev spatial.distance.jaccard spatial.distance.jensenshannon spatial.distance.mahalanobis
spatial.distance.minkowski spatial.distance.pdist spatial.distance.seuclidean spatial.distance.sqeuclidean
spatial.distance.squareform special.beta special.betaln special.boxcox special.boxcox1p special.cbrt special.psi
special.entr special.erfc special.erfinv special.exp10 special.exp2 special.expm1 special.gammainc special.i0
special.i1 special.inv_boxcox special.inv_boxcox1p special.j0 special.j1 special.kl_div special.log1p
special.log_expit special.log_ndtr special.ndtr special.ndtri special.rel_entr special.xlog1py stats.gmean stats.hmean
stats.kendalltau stats.ks_2samp stats.kurtosis stats.rankdata stats.sem stats.skew stats.trim_mean stats.ttest_ind
stats.ttest_rel
""".split()

VALUES = [
    ("interpolated", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], kind='linear')"),
    ("interpolated.cubic", "scipy.interpolate.interp1d(range(5), [1.5, 2.5, 2, 1, 0], kind='cubic')"),
    ("interpolated.cubicspline", "scipy.interpolate.CubicSpline([1, 2, 3], [1.5, 2.5, 2])"),
    ("interpolated.bspline", "scipy.interpolate.BSpline([0, 1, 2, 3, 4, 5, 6], [-1, 2, 0, -1], 2)"),
    ("interpolated.make", "scipy.interpolate.make_interp_spline(range(6), [0, 1, 4, 9, 16, 25], 3)"),
    ("interpolated.pchip", "scipy.interpolate.PchipInterpolator([1, 2, 3], [1.5, 2.5, 2])"),
    ("interpolated.akima", "scipy.interpolate.Akima1DInterpolator(range(6), [0, 1, 4, 9, 16, 25])"),
    ("interpolated.ppoly", "scipy.interpolate.PPoly(numpy.ones((2, 3)), [0, 1, 2, 3])"),
    ("interpolated.univariate", "scipy.interpolate.UnivariateSpline(range(6), [0, 1, 4, 9, 16, 25])"),
    ("interpolated.univariate.exact", "scipy.interpolate.InterpolatedUnivariateSpline(range(6), [0, 1, 4, 9, 16, 25])"),
    ("interpolated.grid", "scipy.interpolate.RegularGridInterpolator(([0., 1.], [0., 1.]), numpy.eye(2))"),
    ("interpolated.rbf", "scipy.interpolate.RBFInterpolator(numpy.eye(4)[:, :2], numpy.arange(4.))"),
    ("interpolated.bary", "scipy.interpolate.BarycentricInterpolator([0., 1., 2.], [1., 0., 1.])"),
    ("interpolated.spline2d", "scipy.interpolate.RectBivariateSpline(range(5), range(5), numpy.eye(5))"),
    ("interpolated.nearest", "scipy.interpolate.NearestNDInterpolator(numpy.eye(3), [1., 2., 3.])"),
    ("tree.ckd", "scipy.spatial.cKDTree(numpy.arange(40.0).reshape(20, 2))"),
    ("tree.kd", "scipy.spatial.KDTree(numpy.arange(40.0).reshape(20, 2), leafsize=3)"),
    ("tree.kd.queried", "queried()"),
    ("rotation", "scipy.spatial.transform.Rotation.from_euler('z', 90, degrees=True)"),
    ("rotation.many", "scipy.spatial.transform.Rotation.from_quat(numpy.eye(4))"),
    ("slerp", "scipy.spatial.transform.Slerp([0, 1], scipy.spatial.transform.Rotation.from_quat(numpy.eye(4)[:2]))"),
    ("frozen.norm", "scipy.stats.norm(1, 2)"),
    ("frozen.poisson", "scipy.stats.poisson(3)"),
    ("frozen.multivariate", "scipy.stats.multivariate_normal([0, 1], numpy.eye(2))"),
    ("distribution.norm", "scipy.stats.norm"),
    ("distribution.uniform", "scipy.stats.uniform"),
    ("distribution.randint", "scipy.stats.randint(1, 10)"),
    ("distribution.loguniform", "scipy.stats.loguniform(1e-3, 1)"),
    ("distribution.expon", "scipy.stats.expon(scale=2)"),
    ("kde", "scipy.stats.gaussian_kde([1.0, 2.0, 2.5, 7.0])"),
    ("histogram", "scipy.stats.rv_histogram(numpy.histogram([1, 2, 2, 3], bins=3))"),
    ("result.optimize", "scipy.optimize.minimize(lambda x: float((x ** 2).sum()), [1.0, 2.0], method='Nelder-Mead')"),
    ("result.optimize.bfgs", "scipy.optimize.minimize(scipy.optimize.rosen, [1.0, 2.0], method='BFGS')"),
    ("result.root", "scipy.optimize.root_scalar(lambda x: x * x - 2, bracket=[0, 2])"),
    ("result.linprog", "scipy.optimize.linprog([1, 1], A_ub=[[-1, -1]], b_ub=[-1])"),
    ("result.ttest", "scipy.stats.ttest_ind([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])"),
    ("result.linregress", "scipy.stats.linregress([1, 2, 3], [1.0, 2.5, 2.9])"),
    ("result.ks", "scipy.stats.kstest([0.1, 0.5, 0.7], 'uniform')"),
    ("result.pearson", "scipy.stats.pearsonr([1, 2, 3], [1.0, 2.5, 2.9])"),
    ("result.spearman", "scipy.stats.spearmanr([1, 2, 3], [1.0, 2.5, 2.9])"),
    ("result.describe", "scipy.stats.describe([1.0, 2.0, 3.0])"),
    ("result.mode", "scipy.stats.mode([1, 2, 2])"),
    ("result.anova", "scipy.stats.f_oneway([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])"),
    ("result.kruskal", "scipy.stats.kruskal([1, 2, 3], [2, 3, 5])"),
    ("result.kurtosis", "scipy.stats.kurtosistest(range(30))"),
    ("result.normal", "scipy.stats.normaltest(range(30))"),
    ("result.chisquare", "scipy.stats.chisquare([1, 2])"),
    ("result.skew", "scipy.stats.skewtest(range(30))"),
    ("hull.delaunay", "scipy.spatial.Delaunay([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])"),
    ("hull.convex", "scipy.spatial.ConvexHull([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])"),
    ("hull.voronoi", "scipy.spatial.Voronoi([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])"),
    ("distribution.discrete", "scipy.stats.rv_discrete(values=([1, 2], [0.5, 0.5]))"),
    ("result.ivp", "scipy.integrate.solve_ivp(lambda t, y: -y, [0, 1], [1.0])"),
    ("bounds", "scipy.optimize.Bounds([0, 0], [1, 1])"),
    ("lti", "scipy.signal.TransferFunction([1], [1, 2])"),
    ("lti.zpk", "scipy.signal.ZerosPolesGain([1], [2, 3], 4)"),
    ("lti.ss", "scipy.signal.StateSpace([[1.0]], [[1.0]], [[1.0]], [[0.0]])"),
    ("dlti", "scipy.signal.dlti([1], [1, 2], dt=0.1)"),
    ("operator", "scipy.sparse.linalg.aslinearoperator(numpy.eye(2))"),
    ("warning", "[scipy.optimize.OptimizeWarning('a'), scipy.integrate.IntegrationWarning('a')]"),
    ("warning.sparse", "scipy.sparse.SparseEfficiencyWarning('a')"),
    ("error.convergence", "scipy.sparse.linalg.ArpackNoConvergence('a', numpy.zeros(0), numpy.zeros((0, 0)))"),
    ("linkage", "scipy.cluster.hierarchy.linkage(numpy.arange(8.0).reshape(4, 2))"),
    ("linkage.tree", "scipy.cluster.hierarchy.to_tree(scipy.cluster.hierarchy.linkage(numpy.arange(8.).reshape(4, 2)))"),
]
VALUES += [("sparse." + kind, "scipy.sparse.random(5, 4, 0.5, random_state=0).asformat(%r)" % kind) for kind in KINDS]
VALUES += [("sparse.array." + kind, "scipy.sparse.%s_array(numpy.eye(3))" % kind) for kind in KINDS]
VALUES += [("sparse.empty." + kind, "scipy.sparse.%s_matrix((3, 4))" % kind) for kind in KINDS]
VALUES += [("sparse.int." + kind, "scipy.sparse.%s_matrix(numpy.eye(3, dtype='i4'))" % kind) for kind in KINDS]


def more():
    """Functions that estimators are given."""
    import operator

    import scipy

    for name in FUNCTIONS:
        yield "function." + name, lambda name=name: operator.attrgetter(name)(scipy)


def queried():
    """A tree whose Python nodes were asked for."""
    import numpy
    import scipy.spatial

    made = scipy.spatial.KDTree(numpy.arange(40.0).reshape(20, 2))
    made.query([1.0, 2.0])
    return made
