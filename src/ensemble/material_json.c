/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/material.h>

#include <jansson.h>

struct json_t *ng_material_json(const ng_material *material)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "name", material->name, "title", material->title,
                     "sigma_s_nm", ng_json_real(material->sigma_s_nm), "density_per_nm3",
                     ng_json_real(ng_density_from_sigma(material->sigma_s_nm)));
}
