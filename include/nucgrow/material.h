/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/material.h
 * Room `ensemble`: materials at rest: a user's YAML file, the block in results. May include base,
 * physics.
 */
#ifndef NUCGROW_MATERIAL_H
#define NUCGROW_MATERIAL_H

#include <nucgrow/base.h>
#include <nucgrow/physics.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Read a material. The file is one mapping; keys:
 *   name              short word, required
 *   title             a phrase; the name where it is missing
 *   sigma-nm          radius of the volume of one monomer, nm: this or
 *   density-per-nm3   monomers per nm^3
 *   delta             shape number, 1 to 2; 1.7 where it is missing
 *   eps-f, eps-e, alpha4, K, kr   all five or none; none leaves start values for a fit, and
 *                     `parameters_given` false
 *  `source` becomes the path, `published` false.
 *  @return NG_IO; NG_FORMAT or NG_USAGE (not YAML, unknown key, value out of range: file:line);
 *          NG_INVALID (what is missing or given twice, and what to do). */
NG_MUST_CHECK ng_status ng_material_read(const char *path, ng_material *out, ng_error *err);

/** What --material takes: the name of a built-in material, or else the path of a file (a text with
 *  a '/' or a '.'). @return as ng_material_read, or NG_USAGE with the names that exist. */
NG_MUST_CHECK ng_status ng_material_choose(const char *name_or_path, ng_material *out,
                                           ng_error *err);

/** The `material` block of every result: {name, title, sigma_s_nm, density_per_nm3}. Owned by the
 *  caller; NULL: no memory. */
struct json_t *ng_material_json(const ng_material *material);

#ifdef __cplusplus
}
#endif
#endif
