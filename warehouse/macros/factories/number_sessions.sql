{#- Events with their place in their user's sessions: a gap of more than gap_minutes starts a new session.
    Takes  the CTE engine_rows: analytics events in the canonical columns.  gap_minutes: whole minutes.
    Gives  one row per event: the columns of engine_rows, event_number, user_key, session_id.
    Note   a user's events are ordered by time, then session_start, first_visit, the rest, then position in the export.
           Events without a user are in no session. -#}
{% macro number_sessions(gap_minutes) -%}
{%- set user = "source_platform, user_pseudo_id" -%}
ordered as (
    select
        *,
        row_number() over in_order as event_number,
        lag(occurred_at) over in_order as previous_at
    from engine_rows
    window in_order as (
        partition by {{ user }}
        order by occurred_at, tie_break, exported_at, source_position, event_key
    )
),

started as (
    select
        *,
        max(case when previous_at is null or previous_at + interval {{ gap_minutes }} minutes < occurred_at then occurred_at end)
            over (partition by {{ user }} order by event_number) as started_at
    from ordered
)

select
    * exclude (previous_at, started_at),
    case
        when user_pseudo_id is not null then {{ md5_key(['source_platform', 'user_pseudo_id']) }}
    end as user_key,
    case
        when user_pseudo_id is not null then {{ md5_key(['source_platform', 'user_pseudo_id', 'started_at']) }}
    end as session_id
from started
{%- endmacro %}
