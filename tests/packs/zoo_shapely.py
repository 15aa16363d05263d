"""The zoo of shapely, see tests/packs."""

PACK = "shapely"
IMPORTS = "shapely shapely.geometry shapely.prepared shapely.strtree shapely.affinity shapely.ops shapely.wkb shapely.errors numpy"
SKIPPED = ("shapely.examples", "shapely.vectorized")
WITHOUT = {
    "shapely.geometry.base.CAP_STYLE": "names for numbers, not a value",
    "shapely.geometry.base.JOIN_STYLE": "likewise",
    "shapely.ops": "a tool, not a value",
}
KEPT = {}

VALUES = [
    ("point", "shapely.geometry.Point(1, 2)"),
    ("point.3d", "shapely.geometry.Point(1, 2, 3)"),
    ("point.empty", "shapely.geometry.Point()"),
    ("line", "shapely.geometry.LineString([(0, 0), (1, 1)])"),
    ("line.3d", "shapely.geometry.LineString([(0, 0, 1), (1, 1, 1)])"),
    ("line.empty", "shapely.geometry.LineString()"),
    ("ring", "shapely.geometry.LinearRing([(0, 0), (1, 1), (1, 0)])"),
    ("ring.3d", "shapely.geometry.LinearRing([(0, 0, 0), (1, 1, 1), (1, 0, 1)])"),
    ("ring.empty", "shapely.geometry.LinearRing()"),
    ("polygon", "shapely.geometry.Polygon([(0, 0), (1, 1), (1, 0)])"),
    ("polygon.hole", "shapely.geometry.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2), (2, 1)]])"),
    ("polygon.empty", "shapely.geometry.Polygon()"),
    ("polygon.ring", "shapely.geometry.Polygon([(0, 0), (1, 1), (1, 0)]).exterior"),
    ("multi.point", "shapely.geometry.MultiPoint([(0, 0), (1, 1)])"),
    ("multi.line", "shapely.geometry.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]])"),
    (
        "multi.polygon",
        "shapely.geometry.MultiPolygon([shapely.geometry.box(0, 0, 1, 1), shapely.geometry.box(2, 2, 3, 3)])",
    ),
    ("multi.empty", "shapely.geometry.MultiPolygon()"),
    (
        "collection",
        "shapely.geometry.GeometryCollection([shapely.geometry.Point(1, 2), shapely.geometry.box(0, 0, 1, 1)])",
    ),
    ("collection.empty", "shapely.geometry.GeometryCollection()"),
    ("collection.of", "shapely.geometry.Point(0, 0).intersection(shapely.geometry.Point(1, 1))"),
    ("box", "shapely.geometry.box(0, 0, 1, 1)"),
    ("buffer", "shapely.geometry.Point(0, 0).buffer(1.0)"),
    ("srid", "shapely.set_srid(shapely.geometry.Point(1, 2), 4326)"),
    ("array", "numpy.array([shapely.geometry.Point(1, 2), None], object)"),
    ("array.made", "shapely.points(numpy.arange(6.0).reshape(3, 2))"),
    ("list", "[shapely.geometry.Point(i, i) for i in range(3)]"),
    ("tree", "shapely.strtree.STRtree([shapely.geometry.Point(i, i) for i in range(3)])"),
    ("tree.capacity", "shapely.strtree.STRtree([shapely.geometry.Point(i, i) for i in range(3)], 5)"),
    ("tree.empty", "shapely.strtree.STRtree([])"),
    ("prepared", "shapely.prepared.prep(shapely.geometry.box(0, 0, 1, 1))"),
    ("cap", "[shapely.geometry.CAP_STYLE.round, shapely.geometry.JOIN_STYLE.mitre]"),
    ("class", "[shapely.geometry.Point, shapely.geometry.base.BaseGeometry]"),
    ("error", "shapely.errors.TopologicalError('a')"),
    ("error.geos", "shapely.errors.GEOSException('a')"),
    ("errors", "[getattr(shapely.errors, name)('a') for name in ERRORS if hasattr(shapely.errors, name)]"),
    ("error.shapely", "shapely.errors.ShapelyError('a')"),
    ("warning", "shapely.errors.ShapelyDeprecationWarning('a')"),
]
ERRORS = """
DimensionError EmptyPartError GeometryTypeError InvalidGeometryError PredicateError ReadingError
UnsupportedGEOSVersionError WKBReadingError WKTReadingError
""".split()
