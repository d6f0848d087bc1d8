"""Every bound of the daemon, by name, with the relations between them asserted.

A bound that a user may change is the default of a config field and is named there; the rest is fixed. The public
ones are listed in docs/configuration.md. Bytes are bytes, times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# One call.
MESSAGE_BYTES_MAX: Final = 4 * MIB
IMPORT_BYTES_MAX: Final = 17 * MIB
IMPORT_EVENTS_MAX: Final = 500
IMPORT_EVENTS_PER_TURN: Final = 100
"""Events of an Import after which other calls get their turn: about a millisecond."""
IMPORT_AHEAD_MAX: Final = 8
"""Messages of an ImportStream that are read while those before them are committed."""
IMPORT_AHEAD_BYTES_MAX: Final = 4 * MIB
"""What they may take; one more is read whatever its size."""
IMPORT_OUTCOMES_MAX: Final = 1_000
"""Different outcomes in the summary of an ImportStream; past it, the reason of a new one is cut to its first word."""
IMPORT_SURE_BYTES_MAX: Final = 1 * KIB
"""An event of an Import up to this size keeps the bounds of keys, values and maps, because it has no room to break
them."""
USERS_MAX: Final = 1_000
"""Users of one DecideMany."""
USERS_AT_A_TIME_MAX: Final = 4_000
"""Users of all DecideMany that are read and answered at a time; calls past it wait in order, before they are read."""
MANY_REPLY_BYTES_MAX: Final = 32 * MIB
"""The decisions in one reply of DecideMany; users past it get an error each."""
DECISIONS_PER_TURN: Final = 500
"""Decisions of one DecideMany after which other calls get their turn: about a millisecond."""
FLAG_KEYS_MAX: Final = 1_000
PLAIN_BYTES_MAX: Final = 16 * KIB
"""Requests up to this size are read in one step where they are plain; larger ones are rare."""
ATTRIBUTES_MAX: Final = 256
"""Entries of any one map of a request: attributes, tags, properties, traits, context, integrations."""
KEY_BYTES_MAX: Final = 1 * KIB
VALUE_BYTES_MAX: Final = 64 * KIB
DEPTH_MAX: Final = 32
"""Nesting of lists and maps in one value; a scalar has depth 0."""
EVENT_ID_CHARACTERS_MAX: Final = 100
VIOLATIONS_MAX: Final = 100
"""Violations listed in one error; the rest is counted in the last of them."""
FORCED_DECISIONS_MAX: Final = 1_000
QUALIFIED_SEGMENTS_MAX: Final = 1_000
UNKNOWN_EVENT_KEYS_LOGGED_MAX: Final = 1_000
"""Unknown event keys that are logged in the life of a process, each once per revision."""
JUDGED_TRACKS_KEPT_MAX: Final = 1_000
"""Simple Tracks, by event key and size, whose destinations are remembered for a revision …"""
JUDGED_KEY_CHARACTERS_MAX: Final = 256
"""… and the longest event key among them."""

REASONS_MAX: Final = 1_000
"""Reasons of one decision."""
FLUSH_S: Final = 10.0
"""How long a Flush waits that does not say how long."""
FLUSH_MAX_S: Final = 300.0
METADATA_BYTES_SURE: Final = 8 * KIB
"""Trailers that every gRPC client takes; beyond, grpcio refuses some at random, and others all."""
REFUSAL_BYTES_MAX: Final = 3 * KIB
"""Violations of one error: they travel as metadata, in base 64."""
REFUSAL_TEXT_BYTES_MAX: Final = 900
"""Any one text of an error (message, path, description, a value of its metadata), percent-encoded as its message is."""
FLUSH_REPLY_RESERVE_S: Final = 0.05
"""How much of its caller's deadline a Flush keeps for the way back."""

# The wire.
STREAMS_MAX: Final = 1_000
"""Calls at a time on one connection."""
METADATA_BYTES_MAX: Final = 64 * KIB
"""Metadata of one call."""
CONNECTIONS_MAX: Final = 900
"""Connections of the native wire at a time: they and all else fit in the 1,024 descriptors that a process often has."""
WIRE_BYTES_MAX: Final = 64 * MIB
"""Unfinished requests, and replies that peers do not take, of all connections of the native wire together; one of them
holds at most twice what it leaves free, which is two thirds."""

# The command line.
SIMULATED_USERS_MAX: Final = 10_000_000
"""Users of one `simulate` or `diff`; they are read and decided one by one."""

# A datafile.
DATAFILE_BYTES_MAX: Final = 50 * MIB
DATAFILE_CHUNK_BYTES: Final = 256 * KIB
DATAFILE_WARNINGS_MAX: Final = 1_000
CONDITION_DEPTH_MAX: Final = 100
FLAG_RULES_MAX: Final = 500_000
"""Rules of all flags together, a shared rule counted once per flag; a flag past it is disabled."""

# The outbox.
COMMIT_INTERVAL_S: Final = 0.02
"""How long an offered impression may wait for its commit; an awaited event waits for the running one only."""
OFFERED_BYTES_MAX: Final = 32 * MIB
"""Impressions that wait for a commit; past it an offer is refused and counted."""
COMPANY_S: Final = 0.002
"""How long an awaited event waits at most for others to share its commit, when others waited beside the last one."""
REMEMBERED_IDS_MAX: Final = 1_000_000
REMEMBERED_IDS_AGE_S: Final = 24 * 3600
DECISION_IDS_GENERATION: Final = 16_384
"""Decision ids known at least this long (in ids) so that a retried Decide makes no second impression."""
OUTBOX_BYTES_MAX: Final = 512 * MIB
"""Default bound of what one destination has pending."""
DEAD_LETTER_BYTES_MAX: Final = 64 * MIB
"""Default bound of one destination's dead letters."""
PENDING_AGE_MAX_S: Final = 24 * 3600
APPENDED_BYTES_MAX: Final = 64 * MIB
"""Awaited records that wait for a commit; past it the disk is too slow and an append is refused."""
HAND_OVER_BYTES: Final = 1 * MIB
"""Offered impressions that are worth a commit before `COMMIT_INTERVAL_S` is over."""
EVENT_OVERHEAD_BYTES: Final = 32
"""What a stored event is charged besides its part of the body."""
READ_BYTES_MAX: Final = 8 * MIB
"""Bodies of one read; one record is given whatever its size."""
OUTBOX_STEP_EVENTS: Final = 1_000
"""Events that one transaction expires, evicts in one go, requeues or purges, so that no commit waits long."""
REMEMBERED_IDS_GENERATION: Final = 8_192
"""Ids that are sealed and forgotten together: up to twice as many more are remembered than were promised."""
REMEMBERED_IDS_GENERATION_AGE_S: Final = 3600
"""The age at which ids are sealed though they are fewer, so that none is remembered much longer than was promised."""
JOINED_EVENTS_MAX: Final = 128
"""Events of records that share a row: what is read, and kept, for the sake of one of them."""
JOINED_BYTES_MAX: Final = 16 * KIB
"""Their bodies; a larger record has a row of its own. Why so few: one dead letter keeps the row."""
FACTS_UNUSED_MAX: Final = 4
"""Project facts kept though no record needs them, so that a queue that runs empty does not write them anew."""
QUICK_CHECK_BYTES_MAX: Final = 64 * MIB
"""Outbox files up to this size are checked page by page at start; larger ones would delay it."""
SALVAGE_INTERVAL_S: Final = 60.0
"""Time between two tries to salvage a file that was found damaged while the process ran."""
OUTBOX_RETRY_AFTER_S: Final = 2.0
"""What a caller is told to wait when the outbox refuses an event."""

ADMIN_EVENTS_MAX: Final = 1_000
"""Events or dead letters that one call of AdminService names or lists."""
ADMIN_REPLY_BYTES_MAX: Final = 3 * MIB
"""What one reply lists: below the 4 MiB that every gRPC client takes."""

# Delivery.
BACKOFF_MIN_S: Final = 0.5
BACKOFF_MAX_S: Final = 60.0
RETRY_AFTER_MAX_S: Final = 300.0
PAUSE_PROBE_INTERVAL_S: Final = 60.0
REFUSED_SINGLES_MAX: Final = 8
"""Singles refused in a row that show the fault to be the batch's, not the event's."""
DESTINATION_TIMEOUT_S: Final = 10.0
RULES_HASH_KEY_BYTES_MIN: Final = 16
"""A shorter key of the hashes in a destination's rules could be guessed."""
SEGMENT_BATCH_BYTES_MAX: Final = 500_000
SEGMENT_BATCH_EVENTS_MAX: Final = 2_500
SEGMENT_EVENT_BYTES_MAX: Final = 32_000
OPTIMIZELY_BATCH_BYTES_MAX: Final = 3_500_000

REVISIONS_RENDERED_MAX: Final = 64
"""Revisions kept as bytes: one for each datafile that is served, and room for reloads."""

# State that decisions read.
PROFILE_WAIT_S: Final = 0.020
"""How long a decision waits for a sticky profile before it goes on without it."""
PROFILE_ANSWER_S: Final = 1.0
"""How long a store of profiles may take for any one answer; a call that is about profiles waits that long."""
PROFILE_LOOKUPS_MAX: Final = 4_096
"""Lookups that wait for a store at once; past it a decision goes on without its profile at once."""
PROFILE_LOOKUPS_AT_ONCE: Final = 64
"""Users of one DecideMany whose profiles are looked up at the same time."""
PROFILE_FAILURES_MAX: Final = 3
"""Lookups in a row that were late or failed, after which the store is left alone for a while."""
PROFILE_REST_MIN_S: Final = 0.25
PROFILE_REST_MAX_S: Final = 5.0
"""A store that is left alone is tried with one lookup after the first of these; doubled each time, up to the second."""
PROFILE_SAVES_MAX: Final = 10_000
"""Users whose changed profile waits for the store; past it a change is dropped and counted."""
PROFILE_SAVES_AT_ONCE: Final = 128
"""Users whose profiles are written at the same time."""
PROFILE_DRAIN_S: Final = 2.0
"""How long the last profiles may take to be written when the daemon stops."""
PROFILE_EXPERIMENTS_MAX: Final = 256
"""Experiments that one Save or Delete names."""
PROFILE_USERS_MAX: Final = 100_000
"""Default bound of the users that the `memory` store keeps."""
PROFILE_ENTRIES_MAX: Final = 1_000_000
"""Default bound of the (user, experiment) pairs that the `sqlite` store keeps."""
FORCED_VARIATIONS_MAX: Final = 10_000
"""Variations set by API, of all users and datafiles; past it the one that was set first is forgotten."""

# Readers of streams.
WATCH_BACKLOG_MAX: Final = 64
SUBSCRIBERS_MAX: Final = 16
"""Readers of notifications at a time."""
SUBSCRIBERS_RETRY_AFTER_S: Final = 10.0
"""What a reader too many is told to wait."""
NOTIFICATIONS_QUEUED_MAX: Final = 1_000
"""Notifications that wait for one reader; past it the oldest are lost."""
NOTIFICATIONS_QUEUED_BYTES_MAX: Final = 4 * MIB
"""About what they may hold in memory; past it the oldest are lost, the newest is always kept."""
NOTIFIED_EVENT_IDS_MAX: Final = 1_000
"""Event ids told of one delivered batch."""

# Remembered exposures.
EXPOSURES_BYTES_MAX: Final = 8 * MIB
"""Default memory of the sketch: three bytes for each pair of user and experiment."""
EXPOSURES_BYTES_LEAST: Final = 64 * KIB
EXPOSURES_BYTES_MOST: Final = 256 * MIB
EXPOSURES_WINDOW_S: Final = 30 * 24 * 3600
"""Default time that an exposure is remembered."""
EXPOSURES_WINDOW_LEAST_S: Final = 60
EXPOSURES_SAVE_INTERVAL_S: Final = 300.0
"""Default time between two writes of the sketch; what a kill can cost."""
EXPOSURES_SAVE_INTERVAL_LEAST_S: Final = 1.0

# Impressions as `Experiment Viewed`.
IMPRESSIONS_WINDOW_S: Final = 24 * 3600
"""Default time that a view is not sent again to one destination."""
IMPRESSIONS_WINDOW_BYTES_MAX: Final = 1 * MIB
"""Default memory of what is remembered for that: three bytes a view."""

# Life.
STOP_DELAY_S: Final = 5.0
REFUSING_S: Final = 0.25
"""How long new calls are answered with STOPPING before the listeners close: a closing gRPC server says CANCELLED, which
no client retries."""
GRACE_S: Final = 5.0
DRAIN_S: Final = 15.0

assert MESSAGE_BYTES_MAX < IMPORT_BYTES_MAX
assert ADMIN_REPLY_BYTES_MAX < MESSAGE_BYTES_MAX
assert VALUE_BYTES_MAX < MESSAGE_BYTES_MAX
assert USERS_MAX <= USERS_AT_A_TIME_MAX
assert METADATA_BYTES_SURE < METADATA_BYTES_MAX
assert IMPORT_BYTES_MAX + MANY_REPLY_BYTES_MAX < WIRE_BYTES_MAX
# A connection's share of the wire's budget holds the largest reply.
assert MANY_REPLY_BYTES_MAX + MESSAGE_BYTES_MAX < WIRE_BYTES_MAX * 2 // 3
assert IMPORT_BYTES_MAX + IMPORT_AHEAD_BYTES_MAX < APPENDED_BYTES_MAX
assert IMPORT_SURE_BYTES_MAX <= KEY_BYTES_MAX < VALUE_BYTES_MAX
# A different key of one character, and its entry, takes five bytes.
assert IMPORT_SURE_BYTES_MAX < 5 * ATTRIBUTES_MAX
# The violations, the message and a value of metadata in base 64, and the message once more, percent-encoded.
assert (REFUSAL_BYTES_MAX + 2 * REFUSAL_TEXT_BYTES_MAX) * 4 // 3 + REFUSAL_TEXT_BYTES_MAX < METADATA_BYTES_SURE
assert SEGMENT_EVENT_BYTES_MAX < SEGMENT_BATCH_BYTES_MAX
assert MESSAGE_BYTES_MAX < OFFERED_BYTES_MAX < OUTBOX_BYTES_MAX
assert IMPORT_BYTES_MAX < APPENDED_BYTES_MAX
assert HAND_OVER_BYTES < OFFERED_BYTES_MAX
assert EXPOSURES_BYTES_LEAST <= EXPOSURES_BYTES_MAX <= EXPOSURES_BYTES_MOST
assert EXPOSURES_BYTES_LEAST <= IMPRESSIONS_WINDOW_BYTES_MAX <= EXPOSURES_BYTES_MOST
assert NOTIFIED_EVENT_IDS_MAX * EVENT_ID_CHARACTERS_MAX < NOTIFICATIONS_QUEUED_BYTES_MAX
assert IMPORT_EVENTS_MAX < OUTBOX_STEP_EVENTS, "dead letters of one record are requeued as one"
assert IMPORT_BYTES_MAX < DEAD_LETTER_BYTES_MAX < OUTBOX_BYTES_MAX
assert BACKOFF_MIN_S < BACKOFF_MAX_S < RETRY_AFTER_MAX_S < PENDING_AGE_MAX_S
assert REMEMBERED_IDS_AGE_S >= PENDING_AGE_MAX_S, "a retry of what may still be pending is recognised"
assert PROFILE_WAIT_S < PROFILE_ANSWER_S < PROFILE_REST_MAX_S
assert PROFILE_SAVES_AT_ONCE < PROFILE_SAVES_MAX
assert PROFILE_ANSWER_S < PROFILE_DRAIN_S, "a save that runs when the daemon stops is waited for"
