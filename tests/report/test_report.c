/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_support.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

#include <report/seen_internal.h>

/* ---- escaping ------------------------------------------------------------------------------ */

static char *escaped(const char *text)
{
    char *memory = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&memory, &size);
    ng_html_text(out, text);
    fclose(out);
    return memory;
}

static void assert_escaped(const char *text, const char *expected)
{
    char *got = escaped(text);
    assert_string_equal(got, expected);
    free(got);
}

static void escapes_what_html_means(void **state)
{
    (void)state;
    assert_escaped("a < b & c > \"d\" 'e'", "a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;");
    assert_escaped("</script><script>alert(1)</script>",
                   "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_escaped("1 µm, 10⁻³", "1 µm, 10⁻³");
    assert_escaped("bell\a, escape\x1b, tab\t", "bell, escape, tab\t");
    assert_escaped("", "");
    assert_escaped(NULL, "");
}

static void data_cannot_end_its_script(void **state)
{
    (void)state;
    char *memory = NULL;
    size_t size = 0;
    json_t *value = json_pack("{s:s, s:f}", "</script>", "<!--<script>", "x", 0.1);
    FILE *out = open_memstream(&memory, &size);
    assert_int_equal(ng_html_json(out, value, NULL), NG_OK);
    fclose(out);
    assert_string_equal(memory, "{\"\\u003c/script>\":\"\\u003c!--\\u003cscript>\",\"x\":0.1}");
    json_t *again = json_loads(memory, 0, NULL);
    assert_true(json_equal(value, again));
    json_decref(again);
    json_decref(value);
    free(memory);
}

static void raises_exponents_of_units(void **state)
{
    (void)state;
    char *memory = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&memory, &size);
    ng_html_unit(out, "nm^-2 s^-1");
    ng_html_unit(out, NULL);
    fclose(out);
    assert_string_equal(memory, "nm<sup>−2</sup> s<sup>−1</sup>");
    free(memory);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void rounds_numbers_to_their_interval(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const struct {
        double value, resolution;
        const char *text;
    } cases[] = {
        {3.0412, 0.12, "3.04"},
        {-1.3521, 0.41, "−1.35"},
        {0.1712, 0.61, "0.17"},
        {185.4, 25, "185"},
        {1234.56, none, "1,235"},
        {1234567, none, "1.23×10⁶"},
        {3.98e-5, none, "3.98×10⁻⁵"},
        {0.0312, none, "0.0312"},
        {-25000, none, "−25,000"},
        {0, 0.1, "0"},
        {none, none, "–"},
        {(double)INFINITY, none, "–"},
        /* Never without a digit, never with more than six. */
        {5, 1000, "5"},
        {2, 1e-12, "2.00000"},
        {1e300, 1e290, "1.00000×10³⁰⁰"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NG_REPORT_NUMBER];
        assert_string_equal(ng_report_number(text, cases[i].value, cases[i].resolution),
                            cases[i].text);
    }
}

/* ---- whole reports ------------------------------------------------------------------------- */

static const char minimal_fit[] =
    "{\"schema\": \"nucgrow/fit-growth/1\", \"level\": 0.95, \"answer\": \"Grown <fast> & far.\","
    " \"verdict\": {\"level\": \"red\", \"reasons\": [\"Too few \\\"frames\\\".\"]},"
    " \"parameters\": {\"eps_f\": {\"value\": 3.04, \"lower\": 2.9, \"upper\": 3.2,"
    " \"unit\": \"kT\", \"flag\": \"at-bound\"}},"
    " \"warnings\": [{\"name\": \"few\", \"text\": \"</script><b>few</b>\"}],"
    " \"methods\": \"We </script> measured.\", \"references\": [\"A & B, 2025\"]}";

static const char forward_fit[] =
    "{\"schema\": \"nucgrow/fit-growth/1\", \"estimator\": \"forward\","
    " \"parameters\": {\"K\": {\"value\": 0.5, \"lower\": 0.4, \"upper\": 0.6}},"
    " \"rate\": {\"parameters\": {\"K\": 0.71}, \"delta\": 1.5},"
    " \"forward\": {\"observations\": 2000, \"effective_observations\": 500, \"outliers\": 4,"
    " \"noise_factor\": {\"value\": 1.2, \"lower\": 1.1, \"upper\": 1.3},"
    " \"prediction\": {\"mean_within_5_percent\": 0.97},"
    " \"models\": [{\"name\": \"edge\", \"aic\": 6.5, \"bic\": 0, \"held_out\": -3.5,"
    " \"held_out_se\": 0.01}, {\"name\": \"full\", \"aic\": 0, \"bic\": 2, \"held_out\": -3.4,"
    " \"held_out_se\": 0.01}, {\"name\": \"<new>\", \"aic\": 9}]}}";

static const char minimal_prediction[] =
    "{\"schema\": \"nucgrow/predict/1\", \"answer\": [\"It grows <fast>.\"], \"trusted\": false,"
    " \"verdict\": {\"level\": \"red\", \"reasons\": [\"The fit is red.\"]},"
    " \"fit\": {\"material\": \"Pt\"}, \"numerics\": {\"level\": 0.9},"
    " \"series\": {\"time_s\": [0, 60], \"mean_radius_nm\": [1, 2.5],"
    " \"mean_radius_nm_lower\": [1, 2.4], \"mean_radius_nm_upper\": [1, 2.6],"
    " \"number\": [1, 0.8]}, \"grid\": {\"factor\": [0.5, 2], \"time_to_target_s\": [null, 100],"
    " \"time_to_target_s_lower\": [null, 90], \"time_to_target_s_upper\": [null, 110]}}";

static const char minimal_truth[] =
    "{\"schema\": \"nucgrow/truth/1\", \"parameters\": {\"eps_f\": 3.3}}";

/* A path in the folder of the tests; static buffer. */
static const char *scratch(const char *name)
{
    static char path[4096];
    const char *folder = getenv("NUCGROW_TEST_TMP");
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "/tmp", name);
    return path;
}

static ng_status write_report(const char *const *text, size_t n, const char *path, bool force,
                              const char *title, ng_error *err)
{
    static const char *const names[] = {"first.json", "second.json", "third.json"};
    const json_t *result[3] = {NULL};
    for (size_t i = 0; i < n; i++) {
        result[i] = json_loads(text[i], 0, NULL);
        assert_non_null(result[i]);
    }
    ng_report_input input = {.title = title, .result = result, .name = names, .n = n};
    ng_status status = ng_report_write(&input, path, force, err);
    for (size_t i = 0; i < n; i++) {
        json_decref((json_t *)(uintptr_t)result[i]);
    }
    return status;
}

static char *read_text(const char *path)
{
    static char *text; /* gcc takes what comes out of a local for a pointer to it */
    size_t length = 0;
    assert_int_equal(ng_file_read(path, 1u << 24, &text, &length, NULL), NG_OK);
    return text;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    const char *found = strstr(text, word);
    while (found != NULL) {
        n++;
        found = strstr(found + strlen(word), word);
    }
    return n;
}

static void text_stands_without_scripts(void **state)
{
    (void)state;
    const char *results[] = {minimal_fit, minimal_truth};
    const char *path = scratch("report-text.html");
    ng_error err = {0};
    assert_int_equal(write_report(results, 2, path, true, "Pt & <Au>", &err), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "<title>Pt &amp; &lt;Au&gt;</title>"), 1);
    assert_int_equal(count(page, "Grown &lt;fast&gt; &amp; far."), 1);
    assert_int_equal(count(page, "Too few &quot;frames&quot;."), 1);
    assert_int_equal(count(page, "do not trust"), 1);
    assert_int_equal(count(page, "2.90 to 3.20"), 2); /* the table, and against the truth */
    assert_int_equal(count(page, ">outside<"), 1);
    assert_int_equal(count(page, "&lt;b&gt;few&lt;/b&gt;"), 1);
    assert_int_equal(count(page, "A &amp; B, 2025"), 1);
    assert_int_equal(count(page, "http-equiv=\"Content-Security-Policy\""), 1);
    /* One for the data, one for the program. */
    assert_int_equal(count(page, "</script>"), 2);
    ng_free(page);
}

static void further_results_get_sections(void **state)
{
    (void)state;
    const char *results[] = {minimal_fit, minimal_truth, minimal_fit};
    const char *path = scratch("report-two.html");
    assert_int_equal(write_report(results, 3, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "Also given: third.json"), 1);
    assert_int_equal(count(page, "data-study=\"1\""), 2);
    assert_int_equal(count(page, "<h1>Growth of nanoparticles</h1>"), 1);
    /* The second fit is set against the same truth. */
    assert_int_equal(count(page, ">outside<"), 2);
    ng_free(page);
}

static void forward_fit_is_told_in_words(void **state)
{
    (void)state;
    const char *results[] = {forward_fit};
    const char *path = scratch("report-forward.html");
    assert_int_equal(write_report(results, 1, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "0.50 (0.40 to 0.60)"), 1);
    assert_int_equal(count(page, "<td class=\"number\">0.710</td>"), 1);
    assert_int_equal(count(page,
                           "best is “faces, edges, translation and rotation”, by AIC; BIC, "
                           "which asks more of each parameter, prefers “faces and edges”; next "
                           "is “faces and edges”, 6.50 behind in AIC. It also describes "
                           "held-out frames best."),
                     1);
    assert_int_equal(count(page, "&lt;new&gt;"), 1);
    assert_int_equal(count(page, "The 2,000 measured sizes count as 500 independent ones"), 1);
    assert_int_equal(count(page, "4 of them lie far"), 1);
    assert_int_equal(count(page, "id=\"compare\""), 0);
    ng_free(page);
}

static void prediction_alone_is_the_answer(void **state)
{
    (void)state;
    const char *results[] = {minimal_prediction};
    const char *path = scratch("report-prediction.html");
    assert_int_equal(write_report(results, 1, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "<h1>Predicted growth: Pt</h1>"), 1);
    assert_int_equal(count(page, "It grows &lt;fast&gt;."), 1);
    assert_int_equal(count(page, "do not trust"), 1);
    assert_int_equal(count(page, "90 % interval: 2.40 to 2.60"), 1);
    assert_int_equal(count(page, "Particles that did not dissolve"), 1);
    assert_int_equal(count(page, "100 (90 to 110)"), 1);
    assert_int_equal(count(page, "data-slot=\"prediction\""), 1);
    assert_int_equal(count(page, "id=\"prediction\""), 0);
    ng_free(page);
}

static void fits_and_predictions_stand_side_by_side(void **state)
{
    (void)state;
    const char *results[] = {forward_fit, minimal_prediction, minimal_fit};
    const char *path = scratch("report-mix.html");
    assert_int_equal(write_report(results, 3, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "id=\"prediction\""), 1);
    assert_int_equal(count(page, "id=\"compare\""), 1);
    assert_int_equal(count(page, "The fits of this page"), 1);
    assert_int_equal(count(page, "<code>third.json</code></th>"), 1);
    assert_int_equal(count(page, "\"files\":{\"fit\":\"first.json\""), 1);
    assert_int_equal(count(page, "Also given: third.json"), 1);
    ng_free(page);
}

static void crystals_are_told(void **state)
{
    (void)state;
    const char *results[] = {
        "{\"schema\": \"nucgrow/nucleation/1\", \"level\": 0.9, \"counts\": {\"births\": 700},"
        " \"window\": {\"share\": 0.9, \"from_s\": 2, \"to_s\": 43, \"duration_s\": 41},"
        " \"comparison\": [{\"file\": \"<half>.csv\", \"births\": 108}]}",
        "{\"schema\": \"nucgrow/fit-diffusion/1\", \"counts\": {\"crystals\": 9},"
        " \"parameters\": {\"product_nm2_per_s\": {\"value\": 0.15, \"lower\": 0.14, \"upper\": "
        "0.16}}, \"laws\": [{\"title\": \"diffusion & depletion\", \"chosen\": 7}]}",
        "{\"schema\": \"nucgrow/energy/1\", \"overlap\": 0.84, \"transition\": {\"time_s\": 3.8,"
        " \"time_lower_s\": 3.5, \"time_upper_s\": 4.2, \"radius_nm\": 1.2},"
        " \"concentrations\": [{\"concentration\": 0.4, \"overlap\": {\"windows\": 0.627}}],"
        " \"rests_on\": {\"births\": 699, \"crystals\": 612}}"};
    const char *path = scratch("report-crystals.html");
    assert_int_equal(write_report(results, 3, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "<h1>Crystals one by one</h1>"), 1);
    assert_int_equal(count(page, "700 crystals were born"), 1);
    assert_int_equal(count(page, "grow best by diffusion &amp; depletion"), 1);
    assert_int_equal(count(page, "falls below zero after 3.80 s"), 1);
    assert_int_equal(count(page, "&lt;half&gt;.csv"), 1);
    assert_true(count(page, "3.50 to 4.20") >= 1);
    assert_int_equal(count(page, "<th class=\"file\">0.4</th>"), 1);
    assert_true(count(page, "0.627") >= 1);
    /* a paragraph of the methods for each result */
    assert_int_equal(count(page, "The nucleation rate is a sum of normal kernels"), 1);
    assert_int_equal(count(page, "of the fitted final radius"), 1);
    assert_int_equal(count(page, "resamplings of 699 births and 612 crystals"), 1);
    assert_int_equal(count(page, "data-slot=\"crystals\""), 1);
    ng_free(page);
    const char *mixed[] = {results[0], minimal_fit};
    assert_int_equal(write_report(mixed, 2, path, true, NULL, NULL), NG_OK);
    page = read_text(path);
    assert_int_equal(count(page, "<h2>Fluorescent crystals</h2>"), 1);
    assert_int_equal(count(page, "href=\"#crystals\""), 1);
    ng_free(page);
}

static void reconstruction_is_told(void **state)
{
    (void)state;
    const char *result =
        "{\"schema\": \"nucgrow/pattern/1\", \"trusted\": true, \"mode\": \"joint\", \"sets\": 2,"
        " \"n_directions\": 3, \"n_phases\": 3, \"directions\": [{\"angle_deg\": -84.47,"
        " \"angle_deg_se\": 0.0057, \"period_nm\": 248.8, \"modulation\": 0.8, \"trusted\": false,"
        " \"reason\": \"<b>weak</b>\"}, {\"period_nm\": 250, \"modulation\": 0.7, \"trusted\": "
        "true}],"
        " \"quality\": {\"grade\": \"amber\", \"resolution_nm\": 104, \"cutoff_nm\": 104,"
        " \"widefield_cutoff_nm\": 179, \"light_scale\": 1.01, \"light_scale_se\": 0.01,"
        " \"verdicts\": [{\"name\": \"light\", \"value\": 1.01, \"grade\": \"green\\\"x\","
        " \"reason\": \"as <much> as foretold\"}]}, \"pictures\": {\"detail\": {\"width_nm\": 6200,"
        " \"height_nm\": 6200, \"before\": \"data:image/png;base64,AAAA\","
        " \"after\": \"data:image/png;base64,BBBB\"}, \"peaks\": [\"data:image/png;base64,CC==\","
        " \"data:image/png;base64,D\\\" onerror=\\\"alert(1)\"]}}";
    const char *path = scratch("report-reconstruction.html");
    assert_int_equal(write_report(&result, 1, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "<h1>Images from striped light</h1>"), 1);
    assert_int_equal(count(page, "2 images of mode joint, each from 9 raw frames"), 1);
    assert_int_equal(count(page, "contrast of 0.70 to 0.80 and a period of 249 to 250 nm"), 1);
    assert_int_equal(count(page, "Amber: measure the images with care."), 1);
    assert_int_equal(count(page, "−84.4700 ± 0.0057"), 1);
    assert_int_equal(count(page, "&lt;b&gt;weak&lt;/b&gt;"), 1);
    assert_int_equal(count(page, "as &lt;much&gt; as foretold"), 1);
    assert_int_equal(count(page, "data:image/png;base64,AAAA"), 1); /* once: not in the data */
    assert_int_equal(count(page, "data:image/png;base64,CC=="), 1);
    assert_int_equal(count(page, "alert(1)"), 0);
    assert_int_equal(count(page, "data-slot=\"reconstruction\""), 1);
    ng_free(page);
    const char *mixed[] = {result, minimal_fit};
    assert_int_equal(write_report(mixed, 2, path, true, NULL, NULL), NG_OK);
    page = read_text(path);
    assert_int_equal(count(page, "<h2>Reconstruction of the images</h2>"), 1);
    assert_int_equal(count(page, "href=\"#reconstruction\""), 1);
    ng_free(page);
    mixed[1] = "{\"schema\": \"nucgrow/nucleation/1\", \"counts\": {\"births\": 7}}";
    assert_int_equal(write_report(mixed, 2, path, true, NULL, NULL), NG_OK);
    page = read_text(path); /* the crystals are the answer, the images how they were seen */
    assert_int_equal(count(page, "<h1>Crystals one by one</h1>"), 1);
    assert_true(strstr(page, "7 crystals were born") < strstr(page, "2 images of mode joint"));
    ng_free(page);
}

/* A field of 200 x 160 pixels that is brightest in one corner: the detail is that corner. */
static void pictures_show_the_brightest_part(void **state)
{
    (void)state;
    float *before = NG_NEW(float, 200 * 160), *after = NG_NEW(float, 400 * 320);
    unsigned char *rgb = NG_NEW(unsigned char, 2 * 3 * 64);
    assert_true(before != NULL && after != NULL && rgb != NULL);
    for (size_t i = 0; i < 400 * 320; i++) {
        after[i] = i % 400 > 300 && i / 400 > 200 ? 5 : 1;
    }
    const ng_report_pair pair = {before, after, 200, 160, 2, 65, rgb, 2, 8};
    json_t *pictures = NULL;
    assert_int_equal(ng_report_pictures(&pair, &pictures, NULL), NG_OK);
    const json_t *detail = json_object_get(pictures, "detail");
    assert_close(json_number_value(json_object_get(detail, "x_nm")), 96 * 65, 1e-6);
    assert_close(json_number_value(json_object_get(detail, "y_nm")), 48 * 65, 1e-6);
    assert_int_equal(json_array_size(json_object_get(pictures, "peaks")), 2);
    json_decref(pictures);
    const ng_report_pair none = {.peak = rgb, .n_peaks = 2, .peak_side = 8};
    assert_int_equal(ng_report_pictures(&none, &pictures, NULL), NG_OK);
    assert_null(json_object_get(pictures, "field"));
    json_decref(pictures);
    ng_free(before);
    ng_free(after);
    ng_free(rgb);
}

static void merging_is_told(void **state)
{
    (void)state;
    const char *fit =
        "{\"schema\": \"nucgrow/fit-coalescence/1\", \"answer\": [\"39 merges & more.\"],"
        " \"level\": 0.95, \"verdict\": {\"level\": \"amber\", \"reasons\": [\"times < "
        "predicted\"]}, \"rms_surviving_fraction\": 0.0085,"
        " \"merges\": [{\"time_s\": 67}, {\"time_s\": 97}],"
        " \"event_time_quartiles_s\": [71.5, 78, 92.5],"
        " \"parameters\": {\"rc\": {\"value\": 44, \"lower\": 30, \"upper\": 58, \"unit\":"
        " \"nm\", \"flag\": \"ok\", \"min\": 2.08537, \"max\": 10000}},"
        " \"contact_distance\": {\"mean_nm\": 4.1, \"sd_nm\": 1.1, \"merges\": 39,"
        " \"mean_radius_sum_nm\": 2.97},"
        " \"sizes\": {\"group_b\": {\"particles_at_end\": 32, \"mean_radius_nm\": [1, 2.85],"
        " \"relative_spread_at_end\": 0.0945}}}";
    const char *results[] = {fit};
    const char *path = scratch("report-coalescence.html");
    assert_int_equal(write_report(results, 1, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "<h1>Coalescence of nanoparticles</h1>"), 1);
    assert_int_equal(count(page, "39 merges &amp; more."), 1);
    assert_int_equal(count(page, "class=\"verdict amber\""), 1);
    assert_int_equal(count(page, "times &lt; predicted"), 1);
    assert_int_equal(count(page, "Least distance of pairs at the start</th>"), 1);
    assert_int_equal(count(page, "30 to 58"), 2); /* a key number and the table */
    assert_int_equal(count(page, "2.09 to 10000"), 1);
    assert_int_equal(count(page, "4.1 ± 1.1 nm apart (mean and s.d. of 39 merges)"), 1);
    assert_int_equal(count(page, ">32</td><td class=\"number\">2.85</td>"), 1);
    assert_int_equal(count(page, "data-slot=\"coalescence\""), 1);
    ng_free(page);
    const char *mixed[] = {fit, minimal_fit};
    assert_int_equal(write_report(mixed, 2, path, true, NULL, NULL), NG_OK);
    page = read_text(path);
    assert_int_equal(count(page, "<h2>Coalescence</h2>"), 1);
    assert_int_equal(count(page, "href=\"#coalescence\""), 1);
    ng_free(page);
}

/* Of particles that were drawn once, their number is thinned. */
static void flask_is_told(void **state)
{
    (void)state;
    const char *results[] = {
        "{\"schema\": \"nucgrow/ensemble/1\", \"counts\": {\"tracks\": 3}, \"tracks\": "
        "{\"ex_situ\": true, \"frame_s\": null, \"track\": [{\"id\": 1, \"time_s\": [300],"
        " \"radius_nm\": [1.3]}]}}"};
    const char *path = scratch("report-flask.html");
    assert_int_equal(write_report(results, 1, path, true, NULL, NULL), NG_OK);
    char *page = read_text(path);
    assert_int_equal(count(page, "Particles drawn"), 1);
    assert_int_equal(count(page, "\"ex_situ\":true"), 1);
    ng_free(page);
}

static void same_results_same_bytes(void **state)
{
    (void)state;
    const char *results[] = {minimal_fit};
    assert_int_equal(write_report(results, 1, scratch("report-a.html"), true, NULL, NULL), NG_OK);
    assert_int_equal(write_report(results, 1, scratch("report-b.html"), true, NULL, NULL), NG_OK);
    char *a = read_text(scratch("report-a.html"));
    char *b = read_text(scratch("report-b.html"));
    assert_string_equal(a, b);
    ng_free(a);
    ng_free(b);
}

static void assert_refused(const char *result, ng_status status, const char *found,
                           const char *needed)
{
    ng_error err = {0};
    const char *path = scratch("report-refused.html");
    remove(path);
    assert_int_equal(write_report(&result, 1, path, false, NULL, &err), status);
    assert_non_null(strstr(err.message, "first.json"));
    assert_non_null(strstr(err.message, found));
    assert_non_null(strstr(err.message, needed));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    assert_refused("{\"schema\": \"nucgrow/fit-growth/7\"}", NG_FORMAT, "nucgrow/fit-growth/7",
                   "nucgrow/fit-growth/1");
    assert_refused("{\"schema\": \"nucgrow/run/1\"}", NG_FORMAT, "nucgrow/run/1",
                   "nucgrow/ensemble/1");
    assert_refused("{\"rows\": []}", NG_FORMAT, "schema", "nucgrow/fit-growth/1");
    assert_refused("{\"schema\": 3}", NG_FORMAT, "schema", "nucgrow/ensemble/1");
    assert_refused("[1, 2]", NG_FORMAT, "schema", "nucgrow/ensemble/1");
    ng_error err = {0};
    ng_report_input none = {.n = 0};
    assert_int_equal(ng_report_write(&none, scratch("none.html"), false, &err), NG_TOO_LITTLE);
}

static void survives_odd_results(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{\"schema\": \"nucgrow/fit-growth/1\"}",
        "{\"schema\": \"nucgrow/ensemble/1\", \"series\": 4, \"tracks\": {\"track\": [1]}}",
        "{\"schema\": \"nucgrow/ensemble/1\", \"tracks\": null, \"warnings\": [3, {}]}",
        "{\"schema\": \"nucgrow/fit-growth/1\", \"parameters\": [], \"verdict\": \"good\"}",
        "{\"schema\": \"nucgrow/fit-growth/1\", \"answer\": [1, \"Yes.\"], \"references\": {}}",
        "{\"schema\": \"nucgrow/fit-growth/1\", \"provenance\": 1, \"methods\": [null]}",
        "{\"schema\": \"nucgrow/potential/1\", \"maximum\": null, \"table\": {\"n\": []}}",
        "{\"schema\": \"nucgrow/truth/1\", \"parameters\": \"none\"}",
        "{\"schema\": \"nucgrow/predict/1\"}",
        "{\"schema\": \"nucgrow/predict/1\", \"answer\": 3, \"series\": [], \"grid\": 1}",
        "{\"schema\": \"nucgrow/predict/1\", \"grid\": {\"factor\": [null, \"x\"]}}",
        "{\"schema\": \"nucgrow/fit-growth/1\", \"forward\": 1, \"rate\": []}",
        "{\"schema\": \"nucgrow/fit-growth/1\", \"forward\": {\"models\": [1, {}]}, \"rate\": {}}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        ng_error err = {0};
        assert_int_equal(write_report(&odd[i], 1, scratch("report-odd.html"), true, NULL, &err),
                         NG_OK);
    }
}

/* A fit whose potential has `n` sizes from 50 on. */
static json_t *long_fit(int n)
{
    json_t *sizes = json_array(), *mu = json_array();
    for (int i = 0; i < n; i++) {
        json_array_append_new(sizes, json_integer(50 + i));
        json_array_append_new(mu, json_real(1.0 / (50 + i)));
    }
    return json_pack("{s:s, s:{s:o, s:o}}", "schema", "nucgrow/fit-growth/1", "potential", "n",
                     sizes, "mu_kT", mu);
}

static void thins_long_tables(void **state)
{
    (void)state;
    json_t *fit = long_fit(20000);
    ng_report_study study = {.result = {[NG_REPORT_FIT] = fit}};
    json_t *data = ng_report_data(&study, 1, NULL);
    const json_t *first = json_array_get(json_object_get(data, "studies"), 0);
    const json_t *drawn = json_object_get(json_object_get(first, "fit"), "potential");
    size_t kept = json_array_size(json_object_get(drawn, "n"));
    assert_in_range(kept, 300, 520);
    assert_int_equal(json_array_size(json_object_get(drawn, "mu_kT")), kept);
    assert_true(ng_report_first(drawn, "n") == 50);
    assert_true(ng_report_last(drawn, "n") == 20049);
    assert_true(ng_report_last(drawn, "mu_kT") == 1.0 / 20049);
    json_decref(data);
    json_decref(fit);
}

/* ---- the file appears whole or not at all -------------------------------------------------- */

static size_t files_in(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n;
}

static void overwrites_only_when_told(void **state)
{
    (void)state;
    const char *results[] = {minimal_fit};
    const char *path = scratch("report-kept.html");
    FILE *old = fopen(path, "w");
    fputs("precious", old);
    fclose(old);
    ng_error err = {0};
    assert_int_equal(write_report(results, 1, path, false, NULL, &err), NG_EXISTS);
    assert_non_null(strstr(err.message, "--force"));
    char *text = read_text(path);
    assert_string_equal(text, "precious");
    ng_free(text);
    assert_int_equal(write_report(results, 1, path, true, NULL, &err), NG_OK);
    assert_int_equal(write_report(results, 1, scratch("no/such/folder.html"), true, NULL, &err),
                     NG_IO);
}

static void leaves_nothing_behind_when_memory_ends(void **state)
{
    (void)state;
    const char *results[] = {minimal_fit};
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", scratch("."));
    char path[4200];
    snprintf(path, sizeof path, "%s/report-memory.html", folder);
    remove(path);
    size_t before = files_in(folder);
    for (size_t k = 1; k < 50; k++) {
        ng_error err = {0};
        ng_alloc_fail_after(k);
        ng_status status = write_report(results, 1, path, false, NULL, &err);
        ng_alloc_fail_after(0);
        if (status == NG_OK) {
            remove(path);
            assert_true(k > 1);
            return;
        }
        assert_int_equal(status, NG_MEMORY);
        assert_int_equal(files_in(folder), before);
    }
    fail_msg("the report never came through");
}

/* ---- what was seen -------------------------------------------------------------------------- */

/* A movie of noise: `frames` of side x side pixels, of unknown calibration when pixel_nm is NAN. */
static void write_noise(const char *path, size_t side, size_t frames, double pixel_nm)
{
    const ng_stack_format format = {.width = side,
                                    .height = side,
                                    .frames = frames,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = pixel_nm,
                                    .frame_s = 2};
    ng_stack *stack = NULL;
    float *pixel = NG_NEW(float, side *side);
    gsl_rng *rng = ng_random_open(1, 1);
    assert_int_equal(ng_stack_create(path, &format, true, &stack, NULL), NG_OK);
    for (size_t frame = 0; frame < frames; frame++) {
        for (size_t i = 0; i < side * side; i++) {
            pixel[i] = (float)(500 + gsl_rng_uniform_int(rng, 1000));
        }
        assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    ng_random_close(rng);
    ng_free(pixel);
}

/* Noise is what a picture can least be squeezed of: 40 frames would take 4.3 MB. */
static void frames_fit_their_share_of_the_page(void **state)
{
    (void)state;
    char movie[4096];
    snprintf(movie, sizeof movie, "%s", test_output("noise.tif"));
    write_noise(movie, 400, 45, 0.5);
    json_t *seen = NULL;
    const ng_report_files files = {.movie = movie, .pixel_nm = (double)NAN};
    assert_int_equal(ng_report_look(&files, &seen, NULL, NULL), NG_OK);
    const json_t *about = json_object_get(seen, "movie"), *image = json_object_get(seen, "image");
    size_t bytes = 0, i;
    json_t *one;
    json_array_foreach(image, i, one)
    {
        assert_memory_equal(json_string_value(one), "data:image/png;base64,", 22);
        bytes += json_string_length(one);
    }
    assert_int_equal(json_array_size(image), 40);
    assert_int_equal(json_array_size(json_object_get(about, "shown")), 40);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(about, "shown"), 39)), 44);
    assert_true(bytes <= 3000000 && bytes > 1000000);
    assert_int_equal(json_integer_value(json_object_get(about, "bytes")), bytes);
    assert_true(json_number_value(json_object_get(about, "step")) > 1);
    json_decref(seen);
    unlink(movie);
}

static void tracks_and_merges_are_shown(void **state)
{
    (void)state;
    char movie[4096], table[4096], events[4096];
    snprintf(movie, sizeof movie, "%s", test_output("small.tif"));
    write_noise(movie, 40, 9, 0.5);
    snprintf(table, sizeof table, "%s",
             test_written("seen.csv",
                          "track,frame,time_s,x_nm,y_nm,radius_nm\n"
                          "1,3,6,5,5,1\n2,3,6,8,5,1.5\n2,4,8,7,5,1.6\n2,5,10,7,5,1.6\n"));
    snprintf(events, sizeof events, "%s",
             test_written("seen-events.csv", "kind,frame,time_s,track,partner,into,score\n"
                                             "merge,4,8,1,2,2,0.9\nbirth,3,6,1,,,\n"));
    ng_report_files files = {movie, table, events, (double)NAN};
    json_t *seen = NULL;
    assert_int_equal(ng_report_look(&files, &seen, NULL, NULL), NG_OK);
    const json_t *track = json_array_get(json_object_get(seen, "track"), 0);
    assert_int_equal(json_array_size(json_object_get(seen, "track")), 2);
    assert_close(json_number_value(json_array_get(json_object_get(track, "x_px"), 0)), 10, 1e-9);
    const json_t *event = json_array_get(json_object_get(seen, "event"), 0);
    assert_int_equal(json_array_size(json_object_get(seen, "event")), 1);
    const json_t *strip = json_object_get(event, "strip");
    assert_int_equal(json_array_size(json_object_get(strip, "frame")), 7);
    const json_t *before = json_array_get(json_object_get(strip, "outline"), 2);
    assert_int_equal(json_array_size(before), 2); /* frame 3: both parents */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(seen, "count"), "births")),
                     1);
    json_decref(seen);

    /* without a calibration nothing can be drawn on the movie, and the message says so */
    write_noise(movie, 40, 9, (double)NAN);
    ng_error err = {0};
    assert_int_equal(ng_report_look(&files, &seen, NULL, &err), NG_INVALID);
    assert_null(seen);
    assert_non_null(strstr(err.message, "pass --pixel-nm"));
    files.pixel_nm = 0.5;
    assert_int_equal(ng_report_look(&files, &seen, NULL, &err), NG_OK);
    json_decref(seen);
    files.movie = "/nonexistent/movie.tif";
    assert_int_equal(ng_report_look(&files, &seen, NULL, &err), NG_IO);
    unlink(movie);
    unlink(table);
    unlink(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_what_html_means),
        cmocka_unit_test(data_cannot_end_its_script),
        cmocka_unit_test(raises_exponents_of_units),
        cmocka_unit_test(rounds_numbers_to_their_interval),
        cmocka_unit_test(text_stands_without_scripts),
        cmocka_unit_test(further_results_get_sections),
        cmocka_unit_test(forward_fit_is_told_in_words),
        cmocka_unit_test(prediction_alone_is_the_answer),
        cmocka_unit_test(fits_and_predictions_stand_side_by_side),
        cmocka_unit_test(crystals_are_told),
        cmocka_unit_test(reconstruction_is_told),
        cmocka_unit_test(pictures_show_the_brightest_part),
        cmocka_unit_test(merging_is_told),
        cmocka_unit_test(flask_is_told),
        cmocka_unit_test(same_results_same_bytes),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(survives_odd_results),
        cmocka_unit_test(thins_long_tables),
        cmocka_unit_test(overwrites_only_when_told),
        cmocka_unit_test(frames_fit_their_share_of_the_page),
        cmocka_unit_test(tracks_and_merges_are_shown),
        cmocka_unit_test(leaves_nothing_behind_when_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
