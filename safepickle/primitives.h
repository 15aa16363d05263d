/* What Cython cannot say as well as C: the few loops that meet every byte of a text.

   Rules: each has a Python twin in twins.py; each may answer "not me" (-1), and then the reader decides; none reads at
   or behind `end`; a length test is written `size > end - pos`, so no sum can overflow. */

#ifndef SAFEPICKLE_PRIMITIVES_H
#define SAFEPICKLE_PRIMITIVES_H

#include <stdint.h>
#include <string.h>

/* Texts from this length on are the reader's: from a file they are read into their own object. */
#define SP_LARGE (64 * 1024)

/* Whether `size` bytes are UTF-8 as pickle reads it: lone surrogates pass, overlong forms and what is above U+10FFFF
   do not. */
static inline int
sp_is_utf8(const unsigned char *p, int64_t size)
{
    int64_t i = 0;
    while (i < size) {
        if (size - i >= 8) {
            uint64_t word;
            memcpy(&word, p + i, 8);
            if (!(word & UINT64_C(0x8080808080808080))) {
                i += 8;
                continue;
            }
        }
        unsigned char c = p[i];
        if (c < 0x80) {
            i += 1;
        }
        else if (c < 0xC2) {
            return 0;
        }
        else if (c < 0xE0) {
            if (2 > size - i || (p[i + 1] & 0xC0) != 0x80)
                return 0;
            i += 2;
        }
        else if (c < 0xF0) {
            if (3 > size - i || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80)
                return 0;
            if (c == 0xE0 && p[i + 1] < 0xA0)
                return 0;
            i += 3;
        }
        else if (c < 0xF5) {
            if (4 > size - i || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80 || (p[i + 3] & 0xC0) != 0x80)
                return 0;
            if ((c == 0xF0 && p[i + 1] < 0x90) || (c == 0xF4 && p[i + 1] > 0x8F))
                return 0;
            i += 4;
        }
        else {
            return 0;
        }
    }
    return 1;
}

/* Where a counted UTF-8 text ends whose length, of `width` bytes, stands at `pos`; -1 where it is not all here, is
   large, is not UTF-8, or may be a name that attributes are looked up by. */
static inline int64_t
sp_text_stop(const unsigned char *p, int64_t pos, int64_t end, int width)
{
    uint64_t size;
    if (width > end - pos)
        return -1;
    if (width == 1) {
        size = p[pos];
    }
    else if (width == 4) {
        size = (uint64_t)p[pos] | (uint64_t)p[pos + 1] << 8 | (uint64_t)p[pos + 2] << 16 | (uint64_t)p[pos + 3] << 24;
    }
    else {
        return -1;
    }
    pos += width;
    if (size >= SP_LARGE || (int64_t)size > end - pos)
        return -1;
    if (size >= 2) {
        const unsigned char *t = p + pos;
        if (t[0] == '_' && t[1] == '_')
            return -1;
        if (size == 3 && t[0] == 'a' && t[1] == 'd' && t[2] == 'd')
            return -1;
        if (size == 6 && (!memcmp(t, "append", 6) || !memcmp(t, "extend", 6)))
            return -1;
    }
    if (!sp_is_utf8(p + pos, (int64_t)size))
        return -1;
    return pos + (int64_t)size;
}

#endif
