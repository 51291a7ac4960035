/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/emitter.h>

#include <math.h>

/* CODATA 2018, eV and nm. */
#define HC 1239.8419843320026          /* h c */
#define CONFINEMENT 0.37603016231      /* (hbar pi)^2 / (2 m_e) */
#define COULOMB (1.786 * 1.4399645478) /* 1.786 e^2 / (4 pi eps0) */

double ng_photon_energy_eV(double wavelength_nm)
{
    return wavelength_nm > 0 ? HC / wavelength_nm : (double)NAN;
}

static bool is_brus(const ng_brus *b)
{
    return isfinite(b->gap_eV) && b->mass_ratio > 0 && b->permittivity > 0;
}

double ng_brus_energy_eV(const ng_brus *b, double radius_nm)
{
    if (!is_brus(b) || !(radius_nm > 0)) {
        return (double)NAN;
    }
    return b->gap_eV +
           (CONFINEMENT / (b->mass_ratio * radius_nm) - COULOMB / b->permittivity) / radius_nm;
}

double ng_brus_turn_nm(const ng_brus *b)
{
    return is_brus(b) ? 2 * CONFINEMENT * b->permittivity / (b->mass_ratio * COULOMB) : (double)NAN;
}

double ng_brus_radius_nm(const ng_brus *b, double energy_eV)
{
    if (!is_brus(b)) {
        return (double)NAN;
    }
    /* a/r^2 - c/r = excess: the larger root in 1/r is the smaller radius */
    const double a = CONFINEMENT / b->mass_ratio, c = COULOMB / b->permittivity;
    const double square = c * c + 4 * a * (energy_eV - b->gap_eV);
    return square >= 0 ? 2 * a / (c + sqrt(square)) : (double)NAN;
}
