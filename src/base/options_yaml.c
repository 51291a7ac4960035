/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options_internal.h"

#include <string.h>
#include <unistd.h>
#include <yaml.h>

#define YAML_LIMIT_BYTES ((size_t)16 << 20)

/* ---- the document ----------------------------------------------------------------------- */

typedef struct yaml_file {
    const char *path;
    char *text; /* owned: libyaml reads from it */
    yaml_document_t document;
    bool loaded;
} yaml_file;

static void file_close(yaml_file *f)
{
    if (f->loaded) {
        yaml_document_delete(&f->document);
    }
    ng_free(f->text);
    *f = (yaml_file){0};
}

static ng_status file_open(yaml_file *f, const char *path, ng_error *err)
{
    *f = (yaml_file){.path = path};
    size_t length = 0;
    ng_status status = ng_file_read(path, YAML_LIMIT_BYTES, &f->text, &length, err);
    if (status != NG_OK) {
        return status;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        file_close(f);
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)f->text, length);
    f->loaded = yaml_parser_load(&parser, &f->document) == 1;
    if (!f->loaded) {
        status = NG_FAIL(err, NG_USAGE, "%s:%zu: not valid YAML: %s", path,
                         parser.problem_mark.line + 1, parser.problem ? parser.problem : "broken");
        file_close(f);
    }
    yaml_parser_delete(&parser);
    return status;
}

static yaml_node_t *node_at(yaml_file *f, int index)
{
    return yaml_document_get_node(&f->document, index);
}

static const char *scalar(const yaml_node_t *node)
{
    bool is_scalar = node != NULL && node->type == YAML_SCALAR_NODE;
    return is_scalar ? (const char *)node->data.scalar.value : NULL;
}

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

/* An empty value, `~` or `null`, not in quotes. */
static bool is_null(const yaml_node_t *node)
{
    const char *text = scalar(node);
    return text != NULL && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static ng_status top_mapping(yaml_file *f, yaml_node_t **top, ng_error *err)
{
    *top = yaml_document_get_root_node(&f->document);
    if (*top == NULL || (*top)->type != YAML_MAPPING_NODE) {
        return NG_FAIL(err, NG_USAGE, "%s:1: `key: value` lines are expected at the top", f->path);
    }
    return NG_OK;
}

/* ---- one entry -------------------------------------------------------------------------- */

/* `part` relative to the folder of the YAML file; owned. Absolute names and "-" stay. */
static char *beside_file(const char *yaml_path, const char *part, size_t length)
{
    const char *slash = strrchr(yaml_path, '/');
    bool stays = length == 0 || part[0] == '/' || (length == 1 && part[0] == '-');
    int folder = stays || slash == NULL ? 0 : (int)(slash - yaml_path + 1);
    return ng_text_format("%.*s%.*s", folder, yaml_path, (int)length, part);
}

/* A value that may be the name of something or of a file is a file when there is one. */
static char *resolve_path(const char *yaml_path, const ng_option *option, const char *value,
                          size_t length)
{
    char *path = beside_file(yaml_path, value, length);
    bool may_be_word = option != NULL && strcmp(option->value, "FILE") != 0 &&
                       strncmp(option->value, "FILE[", 5) != 0;
    if (path != NULL && may_be_word && access(path, F_OK) != 0) {
        ng_free(path);
        path = ng_text_format("%.*s", (int)length, value);
    }
    return path;
}

/* The value of an option as text, paths made relative to the file; owned. "FILE[,FILE]" options
 * hold several paths between commas. */
static char *resolve_value(const char *yaml_path, const ng_option *option, const char *value)
{
    if (option->value == NULL || strstr(option->value, "FILE") == NULL) {
        return ng_text_copy(value);
    }
    bool several = strchr(option->value, ',') != NULL;
    char *all = NULL;
    while (value != NULL) {
        size_t length = several ? strcspn(value, ",") : strlen(value);
        char *part = resolve_path(yaml_path, option, value, length);
        char *joined = part == NULL || all == NULL ? part : ng_text_format("%s,%s", all, part);
        if (joined != part) {
            ng_free(part);
        }
        ng_free(all);
        all = joined;
        if (all == NULL) {
            return NULL;
        }
        value = value[length] == ',' ? value + length + 1 : NULL;
    }
    return all;
}

typedef struct reader {
    yaml_file *file;
    ng_options *set;
    ng_text_list *positional;
} reader;

static ng_status store_scalar(reader *r, ng_option_place place, const yaml_node_t *node,
                              ng_error *err)
{
    char where[256];
    snprintf(where, sizeof where, "%s:%zu: %s", r->file->path, line_of(node), place.option->name);
    const char *text = scalar(node);
    if (text == NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: a single value is expected", where);
    }
    char *value = resolve_value(r->file->path, place.option, text);
    if (value == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", where);
    }
    ng_status status = ng_option_store(place, where, value, NG_ORIGIN_FILE, err);
    ng_free(value);
    return status;
}

static ng_status add_file(reader *r, const yaml_node_t *node, ng_error *err)
{
    const char *text = scalar(node);
    if (text == NULL || is_null(node)) {
        return NG_FAIL(err, NG_USAGE, "%s:%zu: files: a file name is expected", r->file->path,
                       line_of(node));
    }
    char *path = beside_file(r->file->path, text, strlen(text));
    bool added = path != NULL && ng_text_list_add(&r->positional->item, &r->positional->n, path);
    ng_free(path);
    return added ? NG_OK : NG_FAIL(err, NG_MEMORY, "%s: out of memory", r->file->path);
}

/* Store one value, or each of a sequence; `place.option` NULL stands for the key `files`. */
static ng_status store_value(reader *r, ng_option_place place, yaml_node_t *node, ng_error *err)
{
    bool takes_many = place.option == NULL || place.option->type == NG_OPTION_LIST;
    if (node->type != YAML_SEQUENCE_NODE || !takes_many) {
        return place.option == NULL ? add_file(r, node, err) : store_scalar(r, place, node, err);
    }
    ng_status status = NG_OK;
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         status == NG_OK && item < node->data.sequence.items.top; item++) {
        yaml_node_t *one = node_at(r->file, *item);
        status = place.option == NULL ? add_file(r, one, err) : store_scalar(r, place, one, err);
    }
    return status;
}

static ng_status read_entry(reader *r, const yaml_node_pair_t *pair, ng_error *err)
{
    const yaml_node_t *key = node_at(r->file, pair->key);
    yaml_node_t *value = node_at(r->file, pair->value);
    const char *name = scalar(key);
    char where[256];
    snprintf(where, sizeof where, "%s:%zu: %s", r->file->path, line_of(key), name ? name : "?");
    if (name == NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: a key must be a word", where);
    }
    bool is_files = r->positional != NULL && strcmp(name, "files") == 0;
    ng_option_place place = ng_option_find(r->set, name);
    if (!is_files && place.option == NULL) {
        return ng_option_unknown(r->set, where, name, "", err);
    }
    /* `key:` with nothing behind it leaves the default. */
    return is_null(value) ? NG_OK
                          : store_value(r, is_files ? (ng_option_place){0} : place, value, err);
}

static ng_status read_mapping(reader *r, const yaml_node_t *mapping, ng_error *err)
{
    ng_status status = NG_OK;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         status == NG_OK && pair < mapping->data.mapping.pairs.top; pair++) {
        status = read_entry(r, pair, err);
    }
    return status;
}

/* ---- sections --------------------------------------------------------------------------- */

/* "fit growth" and "fit-growth" name the same section. */
static bool same_section(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a == ' ' ? '-' : *a;
        char y = *b == ' ' ? '-' : *b;
        if (x != y) {
            return false;
        }
    }
    return *a == *b;
}

/* The node that holds the options: below `section`, or the top of a file without sections. NULL in
 * `mapping` with NG_OK: the section is there and empty. */
static ng_status find_section(yaml_file *f, const char *section, yaml_node_t **mapping,
                              ng_error *err)
{
    yaml_node_t *top = NULL;
    *mapping = NULL;
    ng_status status = top_mapping(f, &top, err);
    bool has_sections = false;
    for (yaml_node_pair_t *pair = status == NG_OK ? top->data.mapping.pairs.start : NULL;
         section != NULL && pair != NULL && pair < top->data.mapping.pairs.top; pair++) {
        const char *name = scalar(node_at(f, pair->key));
        yaml_node_t *value = node_at(f, pair->value);
        bool is_mapping = value->type == YAML_MAPPING_NODE;
        has_sections = has_sections || is_mapping;
        if (name != NULL && same_section(name, section)) {
            *mapping = is_mapping ? value : NULL;
            return is_mapping || is_null(value)
                       ? NG_OK
                       : NG_FAIL(err, NG_USAGE, "%s:%zu: %s: option names are expected below it",
                                 f->path, line_of(value), name);
        }
    }
    if (status == NG_OK && has_sections) {
        return NG_FAIL(err, NG_USAGE, "%s: has no section `%s`", f->path, section);
    }
    *mapping = top;
    return status;
}

ng_status ng_options_yaml(ng_options *set, const char *path, const char *section,
                          ng_text_list *positional, ng_error *err)
{
    yaml_file file;
    ng_status status = file_open(&file, path, err);
    if (status != NG_OK) {
        return status;
    }
    yaml_node_t *mapping = NULL;
    reader r = {.file = &file, .set = set, .positional = positional};
    status = find_section(&file, section, &mapping, err);
    if (status == NG_OK && mapping != NULL) {
        status = read_mapping(&r, mapping, err);
    }
    file_close(&file);
    return status;
}

static ng_status mark_section(yaml_file *f, const yaml_node_t *key, const char *const *names,
                              size_t n, bool *present, ng_error *err)
{
    const char *name = scalar(key);
    for (size_t i = 0; name != NULL && i < n; i++) {
        if (same_section(name, names[i])) {
            present[i] = true;
            return NG_OK;
        }
    }
    const char *nearest = name == NULL ? NULL : ng_nearest_name(name, names, n);
    return NG_FAIL(err, NG_USAGE, "%s:%zu: %s: no such section%s%s%s", f->path, line_of(key),
                   name != NULL ? name : "?", nearest != NULL ? "; did you mean " : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

ng_status ng_options_yaml_sections(const char *path, const char *const *names, size_t n,
                                   bool *present, ng_error *err)
{
    memset(present, 0, n * sizeof *present);
    yaml_file file;
    yaml_node_t *top = NULL;
    ng_status status = file_open(&file, path, err);
    if (status == NG_OK) {
        status = top_mapping(&file, &top, err);
    }
    for (yaml_node_pair_t *pair = status == NG_OK ? top->data.mapping.pairs.start : NULL;
         status == NG_OK && pair < top->data.mapping.pairs.top; pair++) {
        status = mark_section(&file, node_at(&file, pair->key), names, n, present, err);
    }
    file_close(&file);
    return status;
}
