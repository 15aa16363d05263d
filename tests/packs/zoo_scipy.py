"""The zoo of scipy, see tests/packs."""

PACK = "scipy"
IMPORTS = ("numpy scipy scipy.sparse scipy.stats scipy.spatial scipy.spatial.transform scipy.interpolate scipy.optimize "
           "scipy.special scipy.signal scipy.integrate scipy.linalg scipy.cluster.hierarchy scipy.ndimage scipy.fft "
           "scipy.odr scipy.sparse.linalg scipy.stats.qmc scipy.stats.contingency scipy.stats.mstats scipy.optimize.elementwise")
SKIPPED = ("scipy._lib", "scipy.io", "scipy.weave", "scipy.misc", "scipy.datasets",
           "scipy.special._precompute")  # which needs mpmath
_BASE = "what other classes are made from; nothing is made of it itself"
_RUNNING = "a part of a computation while it runs, not of its result"
_FORTRAN = "the working memory of an integrator, whose C code believes it"
_ODR = "a model of a package that scipy 1.19 no longer has; its functions are called"
WITHOUT = {
    "scipy.fft._backend": "which code computes, for the whole process",
    "scipy.fft._debug_backends": "for those who write such backends",
    "scipy.integrate._cubature": _RUNNING,
    "scipy.integrate._ode": _FORTRAN,
    "scipy.integrate._rules": _RUNNING,
    "scipy.integrate._vode": _FORTRAN,
    "scipy.odr._models": _ODR,
    "scipy.optimize._basinhopping.RandomDisplacement": _RUNNING,
    "scipy.optimize._nonlin.Anderson": _RUNNING,
    "scipy.optimize._nonlin.DiagBroyden": _RUNNING,
    "scipy.optimize._nonlin.ExcitingMixing": _RUNNING,
    "scipy.optimize._nonlin.KrylovJacobian": _RUNNING,
    "scipy.optimize._nonlin.LinearMixing": _RUNNING,
    "scipy.optimize._nonlin.TerminationCondition": _RUNNING,
    "scipy.optimize._nonlin.maxnorm": _RUNNING,
    "scipy.optimize._optimize._LineSearchError": _RUNNING,
    "scipy.optimize._optimize._MaxFuncCallError": _RUNNING,
    "scipy.optimize._shgo": _RUNNING,
    "scipy.optimize._shgo_lib": _RUNNING,
    "scipy.optimize._spectral": _RUNNING,
    "scipy.optimize._trustregion_constr.report": _RUNNING,
    "scipy.optimize._zeros_py.TOMS748Solver": _RUNNING,
    "scipy.sparse.linalg._isolve.lgmres": _RUNNING,
    "scipy.special._mptestutils": "for scipy's own tests",
    "scipy.special._ufuncs.errstate": "a context, which changes what the whole process does about errors",
    "scipy.stats._morestats._ABW": "a table of the process, not of a result",
    "scipy.stats._morestats._BigFloat": "a number that stands for a bound, in a computation",
    "scipy.stats._page_trend_test._PageL": "a table of the process, not of a result",
    "scipy.stats._stats_py._SimpleNormal": _RUNNING,
}
WITHOUT.update(dict.fromkeys("""
scipy.interpolate._fitpack2.BivariateSpline scipy.interpolate._fitpack2.SphereBivariateSpline
scipy.interpolate._fitpack2._BivariateSplineBase scipy.interpolate._fitpack2._DerivedBivariateSpline
scipy.interpolate._fitpack_repro.Bunch scipy.interpolate._polyint._Interpolator1D
scipy.interpolate._polyint._Interpolator1DWithDerivatives
scipy.optimize._hessian_update_strategy.FullHessianUpdateStrategy
scipy.optimize._hessian_update_strategy.HessianUpdateStrategy scipy.optimize._nonlin.GenericBroyden
scipy.optimize._nonlin.Jacobian scipy.signal._ltisys.Bunch scipy.sparse._base.sparray scipy.sparse._data._minmax_mixin
scipy.sparse._index.IndexMixin scipy.sparse._matrix.spmatrix scipy.stats._distn_infrastructure.rv_generic
scipy.stats._distribution_infrastructure.ContinuousDistribution
scipy.stats._distribution_infrastructure.DiscreteDistribution
scipy.stats._distribution_infrastructure.UnivariateDistribution scipy.stats._multivariate.multi_rv_frozen
scipy.stats._multivariate.multi_rv_generic scipy.stats._resampling.ResamplingMethod
""".split(), _BASE))
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
    ("odr.data", "[scipy.odr.Data([1.], [2.]), scipy.odr.RealData([1.], [2.])]"),
    ("odr.output", "scipy.odr.ODR(scipy.odr.Data([1., 2., 3.], [2., 4., 6.1]), scipy.odr.unilinear).run()"),
    ("interp.rbfs", "[scipy.interpolate.Rbf([0., 1., 3., 8.], [1., 0., 1., 3.], function=name) for name in 'cubic gaussian "
     "inverse linear quintic thin_plate'.split()]"),
    ("kde.scott", "scipy.stats.gaussian_kde([1.0, 2.0, 2.5, 7.0], bw_method='scott')"),
    ("linkage", "scipy.cluster.hierarchy.linkage(numpy.arange(8.0).reshape(4, 2))"),
    ("linkage.tree", "scipy.cluster.hierarchy.to_tree(scipy.cluster.hierarchy.linkage(numpy.arange(8.).reshape(4, 2)))"),
    ("interp.krogh", "scipy.interpolate.KroghInterpolator([0., 1., 2.], [1., 0., 1.])"),
    ("interp.bpoly", "scipy.interpolate.BPoly(numpy.ones((2, 3)), [0, 1, 2, 3])"),
    ("interp.ndppoly", "scipy.interpolate.NdPPoly(numpy.ones((2, 2, 1, 1)), ([0., 1.], [0., 1.]))"),
    ("interp.ndbspline", "scipy.interpolate.NdBSpline(([0, 1, 2, 3, 4, 5.], ), numpy.ones(3), 2)"),
    ("interp.linnd", "scipy.interpolate.LinearNDInterpolator([[0., 0.], [1., 0.], [0., 1.], [1., 1.5]], [1., 2., 3., 4.])"),
    ("interp.clough", "scipy.interpolate.CloughTocher2DInterpolator([[0., 0.], [1., 0.], [0., 1.], [1., 1.5]], [1., 2., "
     "3., 4.])"),
    ("interp.rbfold", "scipy.interpolate.Rbf([0., 1., 2.], [1., 0., 1.])"),
    ("interp.rbf2", "scipy.interpolate.RBFInterpolator(numpy.eye(4)[:, :2]+numpy.arange(4.)[:, None]**2, "
     "numpy.arange(4.))"),
    ("interp.smoothbi", "scipy.interpolate.SmoothBivariateSpline(numpy.arange(16.)%4, numpy.arange(16.)//4, "
     "numpy.arange(16.), kx=1, ky=1)"),
    ("interp.lsqbi", "scipy.interpolate.LSQBivariateSpline(numpy.arange(36.)%6, numpy.arange(36.)//6, numpy.arange(36.), "
     "[3.], [3.], kx=1, ky=1)"),
    ("interp.rectsphere", "scipy.interpolate.RectSphereBivariateSpline(numpy.linspace(.5, 2.5, 6), numpy.linspace(.5, 5.5, 7), "
     "numpy.ones((6, 7)))"),
    ("interp.univ", "scipy.interpolate.UnivariateSpline(range(6), [0, 1, 4, 9, 16, 25], s=0)"),
    ("interp.lsq", "scipy.interpolate.LSQUnivariateSpline(range(8), [0, 1, 4, 9, 16, 25, 36, 49], [3.])"),
    ("interp.aaa", "scipy.interpolate.AAA(numpy.linspace(0, 1, 10), numpy.exp(numpy.linspace(0, 1, 10)))"),
    ("interp.floater", "scipy.interpolate.FloaterHormannInterpolator(numpy.linspace(0, 1, 10), numpy.exp(numpy.linspace(0, "
     "1, 10)))"),
    ("interp.i1nearest", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], kind='nearest')"),
    ("interp.i1previous", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], kind='previous')"),
    ("interp.i1next", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], kind='next')"),
    ("interp.i1zero", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], kind='zero')"),
    ("interp.i1quad", "scipy.interpolate.interp1d([1, 2, 3, 4], [1.5, 2.5, 2, 3], kind='quadratic')"),
    ("interp.i1ext", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5, 2], fill_value='extrapolate')"),
    ("interp.i1complex", "scipy.interpolate.interp1d([1, 2, 3], [1.5, 2.5j, 2])"),
    ("interp.grids", "[scipy.interpolate.RegularGridInterpolator((numpy.arange(6.), numpy.arange(6.)), numpy.ones((6, "
     "6)), method=m) for m in 'linear nearest slinear cubic quintic pchip'.split()]"),
    ("interp.called", "(lambda i:(i([[.5, .5]]), i)[1])(scipy.interpolate.RegularGridInterpolator((numpy.arange(6.), "
     "numpy.arange(6.)), numpy.ones((6, 6)), method='cubic'))"),
    ("interp.nearestcalled", "(lambda i:(i([[.5, .5, .5]]), i)[1])(scipy.interpolate.NearestNDInterpolator(numpy.eye(3), [1., 2., "
     "3.]))"),
    ("interp.make_lsq", "scipy.interpolate.make_smoothing_spline(numpy.arange(8.), numpy.arange(8.)**2)"),
    ("interp.cubic.hermite", "scipy.interpolate.CubicHermiteSpline([0., 1., 2.], [0., 1., 0.], [1., 0., 1.])"),
    ("opt.minimize", "[scipy.optimize.minimize(scipy.optimize.rosen, [1., 2.], method=m, jac=scipy.optimize.rosen_der, "
     "hess=scipy.optimize.rosen_hess) for m in 'CG BFGS Newton-CG L-BFGS-B TNC SLSQP dogleg trust-ncg "
     "trust-krylov trust-exact trust-constr'.split()]"),
    ("opt.minimize0", "[scipy.optimize.minimize(scipy.optimize.rosen, [1., 2.], method=m) for m in 'Nelder-Mead Powell "
     "COBYLA L-BFGS-B'.split()]"),
    ("opt.constr", "scipy.optimize.minimize(scipy.optimize.rosen, [1., 2.], method='trust-constr', "
     "constraints=scipy.optimize.LinearConstraint(numpy.eye(2), 0, 1), bounds=scipy.optimize.Bounds([0, "
     "0], [1, 1]))"),
    ("opt.least", "[scipy.optimize.least_squares(lambda x:x-1, [3., 4.], method=m) for m in ('trf', 'dogbox', 'lm')]"),
    ("opt.scalar", "[scipy.optimize.minimize_scalar(lambda x:(x-1)**2, method=m, bounds=(0, 2) if m=='bounded' else "
     "None) for m in 'brent bounded golden'.split()]"),
    ("opt.rootscalar", "[scipy.optimize.root_scalar(lambda x:x*x-2, bracket=[0, 2], method=m) for m in 'bisect brentq "
     "brenth ridder toms748'.split()]"),
    ("opt.de", "scipy.optimize.differential_evolution(scipy.optimize.rosen, [(0, 2), (0, 2)], maxiter=3, seed=1)"),
    ("opt.da", "scipy.optimize.dual_annealing(scipy.optimize.rosen, [(0, 2), (0, 2)], maxiter=3, seed=1)"),
    ("opt.shgo", "scipy.optimize.shgo(scipy.optimize.rosen, [(0, 2), (0, 2)])"),
    ("opt.basin", "scipy.optimize.basinhopping(scipy.optimize.rosen, [1., 2.], niter=2, seed=1)"),
    ("opt.direct", "scipy.optimize.direct(scipy.optimize.rosen, [(0, 2), (0, 2)], maxiter=3)"),
    ("opt.milp", "scipy.optimize.milp([1, 1], integrality=[1, 1])"),
    ("opt.linprog", "[scipy.optimize.linprog([1, 1], A_ub=[[-1, -1]], b_ub=[-1], method=m) for m in ('highs', "
     "'highs-ds', 'highs-ipm')]"),
    ("opt.isoreg", "scipy.optimize.isotonic_regression([1., 3., 2.])"),
    ("opt.lsqlin", "scipy.optimize.lsq_linear(numpy.eye(2), [1., 2.])"),
    ("opt.qap", "scipy.optimize.quadratic_assignment(numpy.eye(3), numpy.eye(3))"),
    ("opt.elementwise", "scipy.optimize.elementwise.find_root(lambda x:x*x-2, (0., 2.))"),
    ("opt.lincon", "scipy.optimize.LinearConstraint(numpy.eye(2), 0, 1)"),
    ("opt.nonlincon", "scipy.optimize.NonlinearConstraint(scipy.optimize.rosen, 0, 1)"),
    ("opt.bfgs", "scipy.optimize.BFGS()"),
    ("opt.sr1", "scipy.optimize.SR1()"),
    ("opt.functions", "[scipy.optimize.rosen_der, scipy.optimize.rosen_hess]"),
    ("integ.odesol", "scipy.integrate.solve_ivp(lambda t, y:-y, [0, 1], [1.], dense_output=True).sol"),
    ("integ.odesols", "[scipy.integrate.solve_ivp(lambda t, y:-y, [0, 1], [1.], dense_output=True, method=m).sol for m in "
     "'RK23 RK45 DOP853 Radau BDF LSODA'.split()]"),
    ("integ.ivp", "scipy.integrate.solve_ivp(lambda t, y:-y, [0, 1], [1.], dense_output=True)"),
    ("integ.bvp", "scipy.integrate.solve_bvp(lambda x, y:numpy.vstack((y[1], -y[0])), lambda a, b:numpy.array([a[0], "
     "b[0]-1]), numpy.linspace(0, 1, 5), numpy.zeros((2, 5)))"),
    ("integ.tanhsinh", "scipy.integrate.tanhsinh(lambda x:x, 0., 1.)"),
    ("integ.qmc", "scipy.integrate.qmc_quad(lambda x:x, 0, 1, n_estimates=2, n_points=8)"),
    ("signal.stft", "scipy.signal.ShortTimeFFT(numpy.hanning(8), 2, 8.)"),
    ("signal.czt", "[scipy.signal.CZT(8), scipy.signal.ZoomFFT(8, [0.1, .2])]"),
    ("signal.dss", "scipy.signal.dlti([[1.0]], [[1.0]], [[1.0]], [[0.0]], dt=1)"),
    ("signal.dzpk", "scipy.signal.dlti([1], [2], 3, dt=1)"),
    ("spatial.sv", "scipy.spatial.SphericalVoronoi([[0, 0, 1.], [0, 0, -1], [1, 0, 0], [0, 1, 0], [0, -1, 0], [-1, 0, "
     "0]])"),
    ("spatial.rigid", "scipy.spatial.transform.RigidTransform.from_translation([1., 2., 3.])"),
    ("spatial.rotspline", "scipy.spatial.transform.RotationSpline([0, 1, 2], "
     "scipy.spatial.transform.Rotation.from_quat(numpy.eye(4)[:3]))"),
    ("spatial.rect", "scipy.spatial.Rectangle([1, 1], [0, 0])"),
    ("spatial.half", "scipy.spatial.HalfspaceIntersection(numpy.array([[-1, 0, 0.], [0, -1, 0], [2, 1, -4], [-.5, 1, "
     "-2]]), numpy.array([.5, .5]))"),
    ("spatial.kdbox", "scipy.spatial.cKDTree(numpy.arange(40.0).reshape(20, 2), boxsize=100)"),
    ("spatial.kdempty", "scipy.spatial.cKDTree(numpy.zeros((0, 2)))"),
    ("spatial.hullinc", "scipy.spatial.ConvexHull([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]], incremental=False)"),
    ("cluster.disjoint", "scipy.cluster.hierarchy.DisjointSet([1, 2, 3])"),
    ("linalg.op", "[scipy.sparse.linalg.aslinearoperator(scipy.sparse.eye(3)), "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3))+scipy.sparse.linalg.aslinearoperator(numpy.eye(3)"
     "), 2*scipy.sparse.linalg.aslinearoperator(numpy.eye(3)), "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3)).T, "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3)).H, "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3))**2, "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3)) @ "
     "scipy.sparse.linalg.aslinearoperator(numpy.eye(3))]"),
    ("linalg.lapl", "scipy.sparse.linalg.LaplacianNd((3, 3))"),
    ("linalg.errors", "[scipy.linalg.LinAlgError('a'), scipy.linalg.LinAlgWarning('a'), "
     "scipy.sparse.linalg.ArpackError(1), scipy.sparse.linalg.MatrixRankWarning('a'), "
     "scipy.optimize.NoConvergence('a') if hasattr(scipy.optimize, 'NoConvergence') else None]"),
    ("sparse.coo3", "scipy.sparse.coo_array(numpy.ones((2, 2, 2)))"),
    ("sparse.1d", "[scipy.sparse.csr_array(numpy.arange(3.)), scipy.sparse.coo_array(numpy.arange(3.)), "
     "scipy.sparse.dok_array(numpy.arange(3.))]"),
    ("sparse.diags", "[scipy.sparse.eye(4), scipy.sparse.eye_array(4), scipy.sparse.diags([1, 2, 3]), "
     "scipy.sparse.diags_array([1., 2, 3])]"),
    ("sparse.bool", "[scipy.sparse.csr_matrix(numpy.eye(3, dtype=bool)), scipy.sparse.csr_matrix(numpy.eye(3, "
     "dtype=complex)), scipy.sparse.csr_matrix(numpy.eye(3, dtype='f4'))]"),
    ("sparse.used", "(lambda m:(m.sum_duplicates(), m.has_sorted_indices, m.has_canonical_format, "
     "m)[-1])(scipy.sparse.csr_matrix(numpy.eye(3)))"),
    ("sparse.cooused", "(lambda m:(m.sum_duplicates(), m)[-1])(scipy.sparse.coo_matrix(numpy.eye(3)))"),
    ("sparse.dokset", "(lambda m:(m.__setitem__((0, 1), 5.), m)[-1])(scipy.sparse.dok_matrix((3, 3)))"),
    ("stats.mvcov", "[scipy.stats.multivariate_normal([0., 0.], scipy.stats.Covariance.from_diagonal([1., 2.])), "
     "scipy.stats.Covariance.from_precision(numpy.eye(2)), "
     "scipy.stats.Covariance.from_cholesky(numpy.eye(2)), "
     "scipy.stats.Covariance.from_eigendecomposition((numpy.ones(2), numpy.eye(2)))]"),
    ("stats.mvgens", "[scipy.stats.multivariate_normal, scipy.stats.dirichlet, scipy.stats.wishart]"),
    ("stats.seeded", "scipy.stats.multivariate_normal([0., 1.], numpy.eye(2), seed=3)"),
    ("stats.normrng", "(lambda d:(setattr(d, 'random_state', numpy.random.default_rng(3)), d)[1])(scipy.stats.norm(1, 2))"),
    ("stats.new", "[scipy.stats.Normal(mu=1., sigma=2.), scipy.stats.Uniform(a=0., b=1.), scipy.stats.Binomial(n=3, "
     "p=.5), scipy.stats.Logistic()]"),
    ("stats.newmix", "scipy.stats.Mixture([scipy.stats.Normal(mu=1., sigma=2.), scipy.stats.Normal(mu=2., sigma=2.)], "
     "weights=[.5, .5])"),
    ("stats.censored", "scipy.stats.CensoredData([1., 2.], right=[3.])"),
    ("stats.qmc", "[scipy.stats.qmc.Sobol(2, seed=1), scipy.stats.qmc.Halton(2, seed=1), "
     "scipy.stats.qmc.LatinHypercube(2, seed=1), scipy.stats.qmc.PoissonDisk(2, seed=1), "
     "scipy.stats.qmc.MultivariateNormalQMC([0., 1.], seed=1), scipy.stats.qmc.MultinomialQMC([.5, .5], "
     "3, seed=1)]"),
    ("stats.qmc2", "(lambda e:(e.random(4), e)[1])(scipy.stats.qmc.Sobol(2, seed=1))"),
    ("stats.ecdf", "scipy.stats.ecdf([1., 2., 3.])"),
    ("stats.binom", "scipy.stats.binomtest(3, 10)"),
    ("stats.binomci", "scipy.stats.binomtest(3, 10).proportion_ci()"),
    ("stats.boot", "scipy.stats.bootstrap((numpy.arange(10.), ), numpy.mean, n_resamples=9, random_state=1)"),
    ("stats.perm", "scipy.stats.permutation_test((numpy.arange(5.), numpy.arange(5.)), lambda x, y:x.mean()-y.mean(), "
     "n_resamples=9, vectorized=False)"),
    ("stats.mc", "scipy.stats.monte_carlo_test(numpy.arange(5.), scipy.stats.norm.rvs, numpy.mean, n_resamples=9)"),
    ("stats.tukey", "scipy.stats.tukey_hsd([1., 2., 3.], [2., 3., 5.])"),
    ("stats.dunnett", "scipy.stats.dunnett([1., 2., 3.], [2., 3., 5.], control=[1., 2.], random_state=1)"),
    ("stats.conting", "[scipy.stats.chi2_contingency([[1, 2], [3, 4]]), scipy.stats.fisher_exact([[1, 2], [3, 4]]), "
     "scipy.stats.barnard_exact([[1, 2], [3, 4]]), scipy.stats.boschloo_exact([[1, 2], [3, 4]]), "
     "scipy.stats.contingency.relative_risk(1, 2, 3, 4), scipy.stats.contingency.odds_ratio([[1, 2], [3, "
     "4]]), scipy.stats.contingency.crosstab([1, 2], [1, 2])]"),
    ("stats.tests2", "[scipy.stats.jarque_bera(range(30)), scipy.stats.friedmanchisquare([1, 2, 3], [2, 3, 5], [1, 3, "
     "2]), scipy.stats.brunnermunzel([1., 2., 3.], [2., 3., 5.]), scipy.stats.alexandergovern([1., 2., "
     "3.], [2., 3., 5.]), scipy.stats.median_test([1., 2., 3.], [2., 3., 5.]), "
     "scipy.stats.cramervonmises([.1, .2], 'uniform'), scipy.stats.cramervonmises_2samp([1., 2., 3.], "
     "[2., 3., 5.]), scipy.stats.somersd([1, 2, 3], [1, 2, 2]), scipy.stats.page_trend_test([[1, 2, 3], "
     "[2, 3, 4]]), scipy.stats.epps_singleton_2samp(range(9), range(1, 10)), scipy.stats.ranksums([1., "
     "2., 3.], [2., 3., 5.]), scipy.stats.poisson_means_test(1, 2, 3, 4), "
     "scipy.stats.power_divergence([1, 2]), scipy.stats.theilslopes([1, 2, 3]), "
     "scipy.stats.siegelslopes([1, 2, 3]), scipy.stats.pointbiserialr([1, 0, 1], [1., 2., 3.]), "
     "scipy.stats.combine_pvalues([.1, .2]), scipy.stats.quantile_test(range(9), q=1), "
     "scipy.stats.directional_stats(numpy.eye(3)), scipy.stats.circmean([1., 2.]), "
     "scipy.stats.bws_test([1., 2., 3.], [2., 3., 5.])]"),
    ("stats.ttestci", "scipy.stats.ttest_ind([1.0, 2.0, 3.0], [2.0, 3.0, 5.0]).confidence_interval()"),
    ("stats.pearsonci", "scipy.stats.pearsonr([1, 2, 3, 4], [1.0, 2.5, 2.9, 2]).confidence_interval()"),
    ("stats.mstats", "[scipy.stats.mstats.mode([1, 2, 2]), scipy.stats.mstats.linregress([1, 2, 3], [1., 2.5, 2.9]), "
     "scipy.stats.mstats.ttest_ind([1., 2., 3.], [2., 3., 5.]), scipy.stats.mstats.describe([1., 2., "
     "3.]), scipy.stats.mstats.theilslopes([1, 2, 3])]"),
    ("stats.methods", "[scipy.stats.BootstrapMethod(), scipy.stats.MonteCarloMethod(), scipy.stats.PermutationMethod()]"),
    ("stats.kde2", "scipy.stats.gaussian_kde(numpy.random.RandomState(0).rand(2, 10))"),
    ("stats.kdesilver", "scipy.stats.gaussian_kde([1.0, 2.0, 2.5, 7.0], bw_method='silverman')"),
    ("stats.histfrozen", "scipy.stats.rv_histogram(numpy.histogram([1, 2, 2, 3], bins=3))(1)"),
    ("stats.sampled", "scipy.stats.rv_discrete(values=([1, 2], [0.5, 0.5]))()"),
    ("stats.multivariate", "[scipy.stats.multivariate_t([0., 1.], numpy.eye(2), 3), scipy.stats.dirichlet([1., 2.]), "
     "scipy.stats.wishart(3, numpy.eye(2)), scipy.stats.invwishart(3, numpy.eye(2)), "
     "scipy.stats.matrix_normal(numpy.zeros((2, 2)))]"),
    ("stats.groups", "[scipy.stats.ortho_group(3), scipy.stats.special_ortho_group(3), scipy.stats.unitary_group(3), "
     "scipy.stats.uniform_direction(3), scipy.stats.random_correlation([.5, 1.5])]"),
    ("stats.multivariate.later", "[scipy.stats.matrix_t(numpy.zeros((2, 2)), df=3), scipy.stats.vonmises_fisher([1., 0.], 2.), "
     "scipy.stats.dirichlet_multinomial([1., 2.], 3), scipy.stats.normal_inverse_gamma()]"),
    ("stats.newops", "[scipy.stats.Normal(mu=1., sigma=2.)+3, abs(scipy.stats.Normal()), "
     "scipy.stats.truncate(scipy.stats.Normal(), 0, 1), scipy.stats.order_statistic(scipy.stats.Normal(), "
     "r=1, n=2)]"),
    ("stats.tests", "[scipy.stats.mannwhitneyu([1., 2., 3.], [2., 3., 5.]), scipy.stats.wilcoxon([1., 2., 3.], [2., 3., "
     "5.5]), scipy.stats.kendalltau([1, 2, 3], [1., 2.5, 2.]), scipy.stats.weightedtau([1, 2, 3], [1., "
     "2.5, 2.]), scipy.stats.shapiro([1., 2., 3.]), scipy.stats.anderson_ksamp([[1., 2., 3.], [2., 3., "
     "5.]]), scipy.stats.levene([1., 2., 3.], [2., 3., 5.]), scipy.stats.bartlett([1., 2., 3.], [2., 3., "
     "5.]), scipy.stats.fligner([1., 2., 3.], [2., 3., 5.]), scipy.stats.mood([1., 2., 3.], [2., 3., "
     "5.]), scipy.stats.ansari([1., 2., 3.], [2., 3., 5.])]"),
    ("stats.others", "[scipy.stats.sigmaclip([1., 2.]), scipy.stats.cumfreq([1., 2.]), scipy.stats.relfreq([1., 2.]), "
     "scipy.stats.binned_statistic([1., 2.], [1., 2.]), scipy.stats.binned_statistic_2d([1., 2.], [1., "
     "2.], [1., 2.]), scipy.stats.binned_statistic_dd(numpy.eye(2), [1., 2.]), scipy.stats.bayes_mvs([1., "
     "2., 3.]), scipy.stats.boxcox([1., 2., 3.]), scipy.stats.probplot([1., 2., 3.])]"),
    ("stats.graph", "scipy.stats.multiscale_graphcorr(numpy.arange(5.)[:, None], numpy.arange(5.)[:, None], reps=2, "
     "random_state=1)"),
    ("stats.logrank", "scipy.stats.logrank([1., 2.], [2., 3.])"),
    ("opt.root", "[scipy.optimize.root(lambda x:x-1, [3., 4.], method=m) for m in 'hybr lm broyden1 df-sane'.split()]"),
    ("signal.functions", "[scipy.signal.lfilter, scipy.signal.filtfilt, scipy.signal.butter, scipy.signal.find_peaks]"),
]
VALUES += [("sparse." + kind, "scipy.sparse.random(5, 4, 0.5, random_state=0).asformat(%r)" % kind) for kind in KINDS]
VALUES += [("sparse.array." + kind, "scipy.sparse.%s_array(numpy.eye(3))" % kind) for kind in KINDS]
VALUES += [("sparse.empty." + kind, "scipy.sparse.%s_matrix((3, 4))" % kind) for kind in KINDS]
VALUES += [("sparse.int." + kind, "scipy.sparse.%s_matrix(numpy.eye(3, dtype='i4'))" % kind) for kind in KINDS]


def more():
    """Functions that estimators are given, and every distribution, frozen."""
    import operator

    import numpy
    import scipy
    import scipy.special
    import scipy.stats

    for name in FUNCTIONS:
        yield "function." + name, lambda name=name: operator.attrgetter(name)(scipy)
    for name, value in sorted(vars(scipy.special).items()):
        if isinstance(value, numpy.ufunc):
            yield "ufunc." + name, lambda value=value: value
    try:
        from scipy.stats._distr_params import distcont, distdiscrete
    except ImportError:  # which scipy has for its own tests
        return
    for name, arguments in list(distcont) + list(distdiscrete):
        if hasattr(scipy.stats, str(name)):
            yield "frozen." + name, lambda name=name, arguments=arguments: getattr(scipy.stats, name)(*arguments)


def queried():
    """A tree whose Python nodes were asked for."""
    import numpy
    import scipy.spatial

    made = scipy.spatial.KDTree(numpy.arange(40.0).reshape(20, 2))
    made.query([1.0, 2.0])
    return made
