"""The shirt: a white cotton tee laid flat on sage green.

What does not live here: the brushes it is painted with (`brushes`).
"""

from PIL import Image

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates import surfaces
from patchbay.pictures.templates.plate import Plate

_PRINT = (550, 440, 1050, 1060)
_CLOTH = (247, 246, 243)

_BODY = b.mirrored(
    b.bezier(
        (800, 262),
        ((860, 262), (915, 250), (945, 212)),
        ((1020, 240), (1110, 262), (1185, 296)),
        ((1290, 345), (1330, 420), (1470, 668)),
        ((1475, 680), (1470, 688), (1460, 693)),
        ((1400, 728), (1350, 752), (1288, 772)),
        ((1276, 775), (1270, 772), (1266, 760)),
        ((1245, 700), (1225, 650), (1196, 612)),
        ((1188, 800), (1186, 1100), (1204, 1440)),
        ((1205, 1456), (1198, 1464), (1184, 1467)),
        ((1060, 1486), (930, 1490), (800, 1490)),
    )
)
_NECK_FRONT = b.bezier((655, 212), ((675, 300), (730, 350), (800, 350)), ((870, 350), (925, 300), (945, 212)))
_NECK_BACK = b.bezier((945, 212), ((915, 250), (860, 262), (800, 262)), ((740, 262), (685, 250), (655, 212)))
_COLLAR_EDGE = b.bezier((622, 222), ((650, 335), (715, 392), (800, 392)), ((885, 392), (950, 335), (978, 222)))

_SOFT_FOLDS = (
    ((415, 610), (500, 700), (560, 900), 46, 29),
    ((1185, 620), (1100, 720), (1060, 940), 46, 29),
    ((410, 660), (470, 860), (450, 1120), 40, 20),
    ((1190, 700), (1130, 900), (1150, 1180), 40, 20),
    ((520, 1460), (560, 1250), (690, 1050), 52, 22),
    ((1110, 1470), (1040, 1290), (930, 1130), 52, 22),
    ((800, 1480), (770, 1300), (820, 1120), 44, 15),
    ((470, 340), (560, 420), (600, 560), 44, 17),
    ((1130, 340), (1040, 430), (1000, 570), 44, 17),
    ((660, 1240), (800, 1290), (960, 1220), 36, 12),
    ((640, 560), (720, 760), (660, 1010), 40, 20),
    ((930, 480), (880, 700), (960, 980), 44, 22),
)
_SHARP_FOLDS = (
    ((400, 600), (340, 560), (330, 470), 16, 33),
    ((1200, 600), (1260, 560), (1268, 470), 16, 33),
    ((395, 620), (330, 640), (270, 590), 14, 24),
    ((1205, 620), (1270, 640), (1335, 590), 14, 24),
    ((405, 640), (450, 690), (470, 790), 13, 23),
    ((1195, 640), (1150, 690), (1128, 800), 13, 23),
    ((430, 1400), (500, 1330), (520, 1220), 14, 16),
    ((1170, 1400), (1110, 1320), (1090, 1230), 14, 16),
)


def draw() -> Plate:
    """The scene and its print area on the chest."""
    scene = b.blend((190, 200, 184), (150, 164, 148), lambda x, y: (0.45 * x + 0.75 * y) / 1900)
    cloth = b.outline_mask(_BODY)
    b.cast_shadow(scene, cloth, (26, 34), blur=42, strength=0.34)
    b.cast_shadow(scene, cloth, (7, 9), blur=9, strength=0.34)
    lit = _cloth_light(cloth)
    b.lay(scene, b.painted(_CLOTH, lit), cloth)
    _draw_neck(scene, cloth)
    _draw_seams(scene, cloth)
    size = (_PRINT[2] - _PRINT[0], _PRINT[3] - _PRINT[1])
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=Image.new("L", size, 250),
        shade=b.shade_layer(lit, _PRINT),
        light=Image.new("L", size, 6),
        look_up=surfaces.rectangle(*_PRINT),
    )


def _cloth_light(cloth: Image.Image) -> Image.Image:
    return b.added(
        b.light(lambda x, y: 0.975 - 0.045 * ((x - 700) / 500) ** 2 - 0.05 * y / 1600),
        b.edge_shade(cloth, 26, 0.17),
        b.creases(_SOFT_FOLDS, softness=17),
        b.creases(_SHARP_FOLDS, softness=6),
        b.clouds(11, 9, 8, 0.018),
        b.clouds(12, 26, 18, 0.008),
        b.weave(5, 0.011),
    )


def _draw_neck(scene: Image.Image, cloth: Image.Image) -> None:
    opening = b.outline_mask([*_NECK_FRONT, *_NECK_BACK])
    inner = b.added(b.light(lambda _x, y: 0.6 + 0.0018 * (y - 212)), b.weave(8, 0.012))
    b.lay(scene, b.painted((230, 227, 220), inner), opening)
    back = b.line_mask([(x, y + 14) for x, y in _NECK_BACK], 30)
    b.lay(scene, (176, 172, 164), b.faded(b.inside(back, opening), 0.55))
    b.cast_shadow(scene, b.inside(b.line_mask(_COLLAR_EDGE, 6), cloth), (2, 5), blur=4, strength=0.5)
    rib = b.inside(b.outline_mask([*_NECK_FRONT, *reversed(_COLLAR_EDGE)]), cloth)
    ribbing = b.added(b.light(lambda x, _y: 0.965 - 0.00008 * (x - 700)), b.grain(9, 0.022, stretch=(3, 20)))
    b.lay(scene, b.painted(_CLOTH, b.added(ribbing, b.edge_shade(rib, 7, 0.14))), rib)


def _draw_seams(scene: Image.Image, cloth: Image.Image) -> None:
    sleeve = b.bezier((1176, 300), ((1150, 400), (1165, 520), (1194, 612)))
    sleeves = [sleeve, [(1600 - x, y) for x, y in sleeve]]
    b.lay(scene, (90, 88, 84), b.faded(b.blurred(b.lines_mask(sleeves, 5), 3), 0.4))
    hem = b.bezier((398, 1432), ((540, 1452), (670, 1456), (800, 1456)), ((930, 1456), (1060, 1452), (1202, 1432)))
    cuff = b.bezier((1276, 738), ((1340, 718), (1390, 694), (1444, 662)))
    seams = [hem, [(x, y + 9) for x, y in hem], cuff, [(1600 - x, y) for x, y in cuff]]
    stitched = b.inside(b.lines_mask(seams, 2.4, dash=7), cloth)
    b.lay(scene, (150, 147, 140), b.faded(stitched, 0.55))
