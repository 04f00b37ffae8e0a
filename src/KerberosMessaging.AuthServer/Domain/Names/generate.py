#!/usr/bin/env python3
"""Writes identifiers.txt and lookalikes.txt, the Unicode data behind client names, from ICU 72 (Unicode 15.0).

Run it in this folder. It needs nothing but libicu72, which is in Debian 12 and is what .NET itself uses there.
"""
import ctypes
from ctypes import byref, c_char_p, c_int, c_int8, c_int32, c_uint32, c_void_p

ICU = 72
HEADER = """# {}
# Derived from the Unicode Character Database 15.0 and the security data of Unicode Technical Standard #39 15.0, by generate.py.
# Copyright (c) 1991-2026 Unicode, Inc.; see unicode-license.txt.
"""

common, spoofing = (ctypes.CDLL(f"lib{name}.so.{ICU}") for name in ("icuuc", "icui18n"))


def icu(library, name, result, *arguments):
    function = getattr(library, f"{name}_{ICU}")
    function.restype, function.argtypes = result, [*arguments, c_void_p]

    def call(*values):
        status = c_int(0)
        answer = function(*values, byref(status))
        if status.value > 0:
            raise OSError(f"{name}: ICU error {status.value}")
        return answer

    return call


def text_function(call, *before):
    """A C function from UTF-16 text to UTF-16 text."""
    def run(text):
        data, room = text.encode("utf-16-le"), ctypes.create_string_buffer(1024)
        size = call(*before, data, len(data) // 2, room, 512)
        return room.raw[: 2 * size].decode("utf-16-le")

    return run


normalise = icu(common, "unorm2_normalize", c_int32, c_void_p, c_char_p, c_int32, c_void_p, c_int32)
decompose = text_function(normalise, icu(common, "unorm2_getNFDInstance", c_void_p)())
compose = text_function(normalise, icu(common, "unorm2_getNFCInstance", c_void_p)())
spoof_skeleton = text_function(
    icu(spoofing, "uspoof_getSkeleton", c_int32, c_void_p, c_int32, c_char_p, c_int32, c_void_p, c_int32),
    icu(spoofing, "uspoof_open", c_void_p)(), 0)
recommended_set = icu(spoofing, "uspoof_getRecommendedSet", c_void_p)()
contains = getattr(common, f"uset_contains_{ICU}")
contains.restype, contains.argtypes = c_int8, [c_void_p, c_int32]
general_category = getattr(common, f"u_charType_{ICU}")
general_category.restype, general_category.argtypes = c_int8, [c_int32]
script_name = getattr(common, f"uscript_getShortName_{ICU}")
script_name.restype, script_name.argtypes = c_char_p, [c_int32]
script_extensions = icu(common, "uscript_getScriptExtensions", c_int32, c_int32, c_void_p, c_int32)
fold_case = icu(common, "u_strFoldCase", c_int32, c_void_p, c_int32, c_char_p, c_int32, c_uint32)

# Unicode Standard Annex #31, table 5, without Common and Inherited.
SCRIPTS = set("""Arab Armn Beng Bopo Cyrl Deva Ethi Geor Grek Gujr Guru Hang Hani Hebr Hira Kana Khmr Knda Laoo Latn Mlym Mymr
    Orya Sinh Taml Telu Thaa Thai Tibt""".split())
KINDS = {1: "letter", 2: "letter", 3: "letter", 4: "letter", 5: "letter", 6: "mark", 8: "mark", 9: "digit"}


def kind_of(character):
    return KINDS.get(general_category(ord(character)))


def fold(text):
    data, room = text.encode("utf-16-le"), ctypes.create_string_buffer(1024)
    size = fold_case(room, 512, data, len(data) // 2, 0)
    return room.raw[: 2 * size].decode("utf-16-le")


def scripts_of(character):
    room = (c_int * 64)()
    count = script_extensions(ord(character), room, 64)
    return {script_name(room[i]).decode() for i in range(count)}


def identifier_characters():
    """Identifier_Status=Allowed (UTS 39, section 3.1) that are letters, marks or decimal digits; character to (kind, scripts)."""
    found = {}
    for character in map(chr, range(0x110000)):
        kind = kind_of(character)
        if kind and contains(recommended_set, ord(character)):
            scripts = scripts_of(character)
            found[character] = (kind, "all" if scripts <= {"Zyyy", "Zinh"} else " ".join(sorted(scripts & SCRIPTS)))
    # A capital whose small letter is not in the profile (a few of phonetic notation) would have no key.
    return {c: row for c, row in found.items() if all(folded in found for folded in compose(fold(c)))}


def write_identifiers(characters):
    ranges = []
    for character, row in characters.items():
        if ranges and ranges[-1][1] == ord(character) - 1 and ranges[-1][2] == row:
            ranges[-1][1] = ord(character)
        else:
            ranges.append([ord(character), ord(character), row])
    with open("identifiers.txt", "w", encoding="ascii", newline="\n") as out:
        out.write(HEADER.format("first, last, kind, scripts (Script_Extensions): the characters of client names"))
        for first, last, (kind, scripts) in ranges:
            out.write(f"{first:04X} {last:04X} {kind} {scripts}\n")


# Letters whose two cases resemble different letters: nu (N, v), upsilon (Y, u), sigma (esh, o), gamma (Cyrillic ghe and so r, y),
# beta (B, sharp s), epsilon (E, Ukrainian ie). Joining their cases would join those letters, so each case counts as what it resembles.
AS_WRITTEN = set("νυσςγβε")


class Classes:
    """Sets of characters that count as one (union-find), each named by the plainest of them."""

    def __init__(self):
        self.parent = {}

    def find(self, character):
        while character in self.parent:
            character = self.parent[character]
        return character

    def join(self, one, other):
        name, absorbed = sorted((self.find(one), self.find(other)), key=self.plainness)
        if name != absorbed:
            self.parent[absorbed] = name

    @staticmethod
    def plainness(character):
        return not "a" <= character <= "z", not character.isascii(), not character.islower(), character


def lookalikes(characters):
    """
    Character to what it counts as in a skeleton: its prototype of UTS 39, section 4, but with the two cases of a letter, and all
    that either resembles, as one. Names are compared without regard to case, so a name must not look like any cased form of another.
    """
    parts = sorted({part for c in characters for part in decompose(c)})
    prototype = {part: spoof_skeleton(part) for part in parts}
    classes, spelled = Classes(), []
    for capital in parts:
        small = compose(fold(capital))
        if small == capital or characters.get(capital, ("letter",))[0] != "letter" or small in AS_WRITTEN:
            continue
        seen, seen_small = prototype[capital], "".join(prototype.get(c, c) for c in small)
        if len(seen) == len(seen_small):
            for one, other in zip(seen, seen_small):
                if "mark" not in (kind_of(one), kind_of(other)):
                    classes.join(one, other)
        elif seen == capital:
            spelled.append((capital, seen_small))
        elif seen_small == small:
            spelled.append((small, seen))
    spelled = {classes.find(c): text for c, text in spelled}
    result = {}
    for part, text in prototype.items():
        text = "".join(spelled.get(classes.find(c), c) for c in text)
        result[part] = decompose("".join(classes.find(c) for c in text))
    check(result)
    return result


def check(result):
    """No two small Latin letters or digits count as one, but those that must; and what a character counts as counts as itself."""
    alike = {}
    for c in "abcdefghijklmnopqrstuvwxyz0123456789":
        alike.setdefault(result[c], set()).add(c)
    assert [group for group in alike.values() if len(group) > 1] == [{"i", "l", "1"}, {"o", "0"}], alike
    for c, text in result.items():
        assert "".join(result.get(part, part) for part in text) == text, (c, text)


def write_lookalikes(result):
    with open("lookalikes.txt", "w", encoding="ascii", newline="\n") as out:
        out.write(HEADER.format("character, what it counts as in a skeleton; a character that is not here counts as itself"))
        for character, text in result.items():
            if text != character:
                out.write(f"{ord(character):04X} {' '.join(f'{ord(c):04X}' for c in text)}\n")


if __name__ == "__main__":
    profile = identifier_characters()
    write_identifiers(profile)
    write_lookalikes(lookalikes(profile))
