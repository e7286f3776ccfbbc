"""The functions that a tenant's model may call: what they give depends on their arguments alone.

Everything else of DuckDB is refused: files, network, settings, catalogs, extensions, clocks and random numbers.
"""

from __future__ import annotations

from typing import Final

_OPERATORS = "+ - * / // % ** ^ & | ~ << >> || @ @> <@ ^@ ~~ !~~ ~~* !~~* ~~~ ->> <=>"
_AGGREGATES = """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min
    arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if
    count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg fill first first_value fsum geomean
    geometric_mean group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop lag last last_value lead
    list listagg mad max max_by mean median min min_by mode nth_value ntile percent_rank product quantile
    quantile_cont quantile_disc rank rank_dense regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy row_number sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan
    var_pop var_samp variance wavg weighted_avg
"""
_NUMBERS = """
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even
    exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite isinf isnan lcm least
    least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power radians round round_even
    roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc xor equi_width_bins
"""
_TEXTS = """
    array_to_string ascii bar base64 bin bit_length char_length character_length chr concat concat_ws contains
    damerau_levenshtein editdist3 ends_with format formatreadabledecimalsize formatreadablesize format_bytes
    from_base64 from_hex hamming hash hex ilike_escape instr jaccard jaro_similarity jaro_winkler_similarity lcase
    left length levenshtein like_escape lower lpad ltrim md5 mismatches nfc_normalize not_ilike_escape
    not_like_escape octet_length ord position prefix printf regexp_escape regexp_extract
    regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    repeat replace reverse right rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
    string_split string_split_regex string_to_array strip_accents strlen strpos substr substring suffix to_base
    to_base64 to_binary to_hex translate trim ucase unhex unicode upper url_decode url_encode
"""
_TIMES = """
    century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
    dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear
    julian last_day make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz
    microsecond millennium millisecond minute month monthname nanosecond normalized_interval quarter second
    strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours
    to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks
    to_years try_strptime week weekday weekofyear year yearweek
"""
_NESTED = """
    apply array_append array_concat array_contains array_distinct array_extract array_filter array_has
    array_has_all array_has_any array_indexof array_intersect array_length array_position array_prepend
    array_reverse array_reverse_sort array_slice array_sort array_transform array_unique array_value cardinality
    element_at filter flatten generate_series len list_aggregate list_any_value list_append list_apply list_avg
    list_concat list_contains list_count list_distinct list_element list_extract list_filter list_first list_has
    list_has_all list_has_any list_indexof list_intersect list_last list_max list_median list_min list_mode
    list_pack list_position list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort
    list_select list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform
    list_unique list_value list_var_pop list_var_samp list_where list_zip map map_concat map_contains map_entries
    map_extract map_extract_value map_from_entries map_keys map_values range reduce row struct_concat
    struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_update struct_values unnest
    json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
    json_extract_string json_group_array json_group_object json_keys json_merge_patch json_object json_quote
    json_type json_valid json_value row_to_json to_json from_json json_transform json_structure
"""
_CHOICES = "coalesce constant_or_null ifnull if nullif switch typeof"

_CHANGING = """
    ago age current_date current_localtime current_localtimestamp current_time current_timestamp gen_random_uuid
    get_current_time get_current_timestamp localtime localtimestamp now random reservoir_quantile setseed today
    transaction_timestamp uuid uuidv4 uuidv7
"""
_WITHOUT_PARENTHESES = """
    current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime
    localtimestamp session_user user
"""


def _names(*groups: str) -> frozenset[str]:
    return frozenset(name for group in groups for name in group.split())


FUNCTIONS: Final = _names(_OPERATORS, _AGGREGATES, _NUMBERS, _TEXTS, _TIMES, _NESTED, _CHOICES)
CHANGING: Final = _names(_CHANGING)
"""Functions that give another value at each build: a run is a function of what it was built from."""
WITHOUT_PARENTHESES: Final = _names(_WITHOUT_PARENTHESES)
"""Names that DuckDB takes for functions of the clock or the session where no table has a column of that name."""
