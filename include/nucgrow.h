/* SPDX-License-Identifier: GPL-3.0-or-later */
/** @file nucgrow.h  All rooms of the library at once. */
#ifndef NUCGROW_H
#define NUCGROW_H

#include <nucgrow/base.h>
#include <nucgrow/cluster.h>
#include <nucgrow/coalescence.h>
#include <nucgrow/data.h>
#include <nucgrow/detect.h>
#include <nucgrow/ensemble.h>
#include <nucgrow/fit.h>
#include <nucgrow/material.h>
#include <nucgrow/pairs.h>
#include <nucgrow/physics.h>
#include <nucgrow/predict.h>
#include <nucgrow/report.h>
#include <nucgrow/samples.h>
#include <nucgrow/solve.h>
#include <nucgrow/synth.h>
#include <nucgrow/track.h>

#endif
