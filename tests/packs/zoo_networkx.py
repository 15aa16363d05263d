"""The zoo of networkx, see tests/packs."""

PACK = "networkx"
IMPORTS = "networkx networkx.classes.filters networkx.utils networkx.algorithms.tree.branchings datetime decimal"
SKIPPED = ("networkx.drawing", "networkx.readwrite")
_TOOL = "a tool, not a value"
_INSIDE = "part of an algorithm that is at work"
WITHOUT = {
    "networkx.algorithms.approximation.kcomponents": _INSIDE,
    "networkx.algorithms.connectivity.edge_kcomponents": _INSIDE,
    "networkx.algorithms.flow.utils": _INSIDE,
    "networkx.algorithms.planarity.ConflictPair": _INSIDE,
    "networkx.algorithms.planarity.Interval": _INSIDE,
    "networkx.algorithms.planarity.PlanarEmbedding": "in newer releases its state has methods bound to itself",
    "networkx.algorithms.simple_paths": _INSIDE,
    "networkx.classes.digraph._CachedPropertyResetterAdjAndSucc": _TOOL,
    "networkx.classes.digraph._CachedPropertyResetterPred": _TOOL,
    "networkx.classes.graph._CachedPropertyResetterAdj": _TOOL,
    "networkx.classes.graph._CachedPropertyResetterNode": _TOOL,
    "networkx.classes.reportviews.EdgeViewABC": "a base class",
    "networkx.utils": _TOOL,
    "itertools.count": "part of a heap",
    "numpy": "part of a source of random numbers",
}
KEPT = {
    "networkx.classes.coreviews.FilterMultiInner": "part of a view of a multigraph, which makes it when it is asked",
    "networkx.classes.coreviews.UnionAtlas": "likewise",
    "networkx.classes.coreviews.UnionMultiInner": "likewise",
    "networkx.classes.graphviews": "up to 2.1",
    "networkx.classes.ordered": "up to 2.8",
}

KINDS = "Graph DiGraph MultiGraph MultiDiGraph".split()
VALUES = []
for _kind in KINDS:
    VALUES += [
        (_kind.lower() + name, expression % _kind)
        for name, expression in (
            ("", "networkx.%s([(1, 2), (2, 3)])"),
            (".empty", "networkx.%s()"),
            (".attributes", "attributed(networkx.%s)"),
            (".text", "networkx.%s([('a', 'b'), (('a', 1), None)])"),
            (".views", "viewed(networkx.%s([(1, 2), (2, 3)]))"),
            (".frozen", "networkx.freeze(networkx.%s([(1, 2)]))"),
            (".subgraph", "networkx.%s([(1, 2), (2, 3)]).subgraph([1, 2])"),
            (".edges", "networkx.%s([(1, 2), (2, 3)]).edge_subgraph([])"),
            (".restricted", "networkx.restricted_view(networkx.%s([(1, 2), (2, 3)]), [1], [])"),
            (".copy", "networkx.%s([(1, 2), (2, 3)]).copy(as_view=True)"),
            (".reverse", "networkx.%s([(1, 2), (2, 3)]).reverse(copy=False)"),
            (".undirected", "networkx.%s([(1, 2), (2, 3)]).to_undirected(as_view=True)"),
            (".directed", "networkx.%s([(1, 2), (2, 3)]).to_directed(as_view=True)"),
            (".view.nodes", "networkx.%s([(1, 2)]).nodes"),
            (".view.nodes.data", "networkx.%s([(1, 2)]).nodes(data=True)"),
            (".view.edges", "networkx.%s([(1, 2)]).edges"),
            (".view.edges.data", "networkx.%s([(1, 2)]).edges(data=True)"),
            (".view.edges.in", "networkx.%s([(1, 2)]).in_edges"),
            (".view.edges.in.data", "networkx.%s([(1, 2)]).in_edges(data='weight', default=0)"),
            (".view.adjacency", "networkx.%s([(1, 2)]).adj"),
            (".view.adjacency.one", "networkx.%s([(1, 2)]).adj[1]"),
            (".view.pred", "networkx.%s([(1, 2)]).pred"),
            (".view.degree", "networkx.%s([(1, 2)]).degree"),
            (".view.degree.weight", "networkx.%s([(1, 2)]).degree(weight='weight')"),
            (".view.degree.in", "networkx.%s([(1, 2)]).in_degree"),
            (".view.degree.out", "networkx.%s([(1, 2)]).out_degree"),
        )
    ]
VALUES += [
    ("ordered", "networkx.OrderedGraph([(1, 2)])"),
    ("ordered.multi", "networkx.OrderedMultiDiGraph([(1, 2)])"),
    ("planar", "networkx.check_planarity(networkx.complete_graph(4))[1]"),
    ("planar.empty", "networkx.PlanarEmbedding()"),
    ("karate", "networkx.karate_club_graph()"),
    ("grid", "networkx.grid_2d_graph(3, 2)"),
    ("path", "networkx.path_graph(3)"),
    ("filter.nodes", "networkx.classes.filters.show_nodes([1, 2])"),
    ("filter.edges", "networkx.classes.filters.show_edges([(1, 2)])"),
    ("filter.edges.di", "networkx.classes.filters.show_diedges([(1, 2)])"),
    ("filter.edges.multi", "networkx.classes.filters.show_multiedges([(1, 2, 0)])"),
    ("filter.edges.multidi", "networkx.classes.filters.show_multidiedges([(1, 2, 0)])"),
    ("filter.none", "networkx.classes.filters.no_filter"),
    ("union", "networkx.utils.UnionFind([1, 2])"),
    ("queue", "networkx.utils.mapped_queue.MappedQueue([3, 1, 2])"),
    ("heap", "networkx.utils.BinaryHeap()"),
    ("heap.pairing", "networkx.utils.PairingHeap()"),
    ("random", "networkx.utils.PythonRandomInterface()"),
    ("class", "[networkx.Graph, networkx.DiGraph]"),
    ("error", "networkx.NetworkXError('a')"),
    ("error.path", "networkx.NetworkXNoPath('a')"),
    ("error.node", "networkx.NodeNotFound('a')"),
    ("error.cycle", "networkx.HasACycle('a')"),
    ("error.feasible", "networkx.NetworkXUnfeasible('a')"),
    ("error.power", "networkx.PowerIterationFailedConvergence(10)"),
    ("error.ambiguous", "networkx.AmbiguousSolution('a')"),
    ("error.implemented", "networkx.NetworkXNotImplemented('a')"),
    ("partition.edge", "networkx.EdgePartition.OPEN"),
    ("cycle", "itself()"),
]


def attributed(kind):
    """A graph whose nodes, edges and whole have values."""
    import datetime
    import decimal

    made = kind(name="a", year=2020)
    made.add_node(1, size=1.5, label="x", tags=["a", "b"], when=datetime.date(2020, 1, 1))
    made.add_node("b", pair=(1, 2), nothing=None, price=decimal.Decimal("1.5"))
    made.add_edge(1, "b", weight=0.5, kind="t")
    made.add_edge(1, 1)
    return made


def viewed(graph):
    """A graph that keeps the views that it was asked for."""
    for name in "adj nodes edges degree pred succ in_edges out_edges in_degree out_degree".split():
        getattr(graph, name, None)
    return graph


def itself():
    """A graph that has itself among its attributes."""
    import networkx

    made = networkx.path_graph(2)
    made.graph["me"] = made
    return made
