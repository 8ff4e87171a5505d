"""The tables, as named migrations. Append only: a migration that was released never changes."""

from __future__ import annotations

import sqlite3

from store.sqlite import Database, Migrations
from store.words import searchable, sortable

migrations = Migrations("visawatch")


def names() -> list[str]:
    """The names of all migrations that this version knows, oldest first."""
    return [migration.name for migration in migrations.pending(Database(memory=True))]


def _run(db: Database, script: str) -> None:
    """Runs a script inside the migration's transaction (executescript() would commit it)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.conn.execute(statement)
            statement = ""


@migrations()
def m001_programs_and_pages(db: Database) -> None:
    """Who is watched, and where."""
    _run(
        db,
        """
        CREATE TABLE institutions (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            gme_url TEXT
        ) STRICT;
        CREATE TABLE programs (
            id TEXT PRIMARY KEY,
            institution_id INTEGER NOT NULL REFERENCES institutions(id),
            specialty TEXT NOT NULL,
            level TEXT NOT NULL,
            city TEXT, state TEXT,
            website_url TEXT, eligibility_url TEXT,
            acgme_id TEXT, coordinator_email TEXT,
            removed_at TEXT
        ) STRICT;
        CREATE TABLE snapshots (
            id INTEGER PRIMARY KEY,
            sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
            content_type TEXT NOT NULL,
            size INTEGER NOT NULL,       -- bytes before compression
            body BLOB NOT NULL           -- zstandard
        ) STRICT;
        CREATE TABLE readings (          -- what the rules made of a snapshot
            snapshot_id INTEGER PRIMARY KEY REFERENCES snapshots(id),
            rules TEXT NOT NULL,         -- version of the rules that read it
            policy TEXT                  -- JSON; NULL when nothing is stated
        ) STRICT;
        CREATE TABLE pages (
            id INTEGER PRIMARY KEY,
            url TEXT NOT NULL UNIQUE,
            etag TEXT, last_modified TEXT,
            snapshot_id INTEGER REFERENCES snapshots(id),
            changed_cycle INTEGER        -- in which that snapshot was first seen here
        ) STRICT;
        CREATE TABLE page_moves (
            page_id INTEGER NOT NULL REFERENCES pages(id),
            cycle_id INTEGER NOT NULL,
            old_url TEXT NOT NULL, new_url TEXT NOT NULL
        ) STRICT;
        CREATE TABLE watches (           -- a page of one program, or of one institution
            page_id INTEGER NOT NULL REFERENCES pages(id),
            program_id TEXT REFERENCES programs(id),
            institution_id INTEGER REFERENCES institutions(id),
            found TEXT NOT NULL CHECK (found IN ('named', 'discovered')),
            CHECK ((program_id IS NULL) <> (institution_id IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX watches_program ON watches(program_id, page_id)
            WHERE program_id IS NOT NULL;
        CREATE UNIQUE INDEX watches_institution ON watches(institution_id, page_id)
            WHERE institution_id IS NOT NULL;
        CREATE INDEX watches_page ON watches(page_id);
        """,
    )


@migrations()
def m002_cycles_and_observations(db: Database) -> None:
    """What happened in each night."""
    _run(
        db,
        """
        CREATE TABLE cycles (
            id INTEGER PRIMARY KEY,
            night TEXT UNIQUE,           -- the planned time it was started for, if any
            started_at TEXT NOT NULL,
            finished_at TEXT,
            summary TEXT                 -- JSON, once finished
        ) STRICT;
        CREATE TABLE observations (
            page_id INTEGER NOT NULL REFERENCES pages(id),
            cycle_id INTEGER NOT NULL REFERENCES cycles(id),
            attempt INTEGER NOT NULL,    -- 0: the night's fetch; 1: the one that confirms
            at INTEGER NOT NULL,         -- seconds since 1970, UTC
            health TEXT NOT NULL,
            snapshot_id INTEGER REFERENCES snapshots(id),  -- NULL: not the page
            detail TEXT,
            PRIMARY KEY (page_id, cycle_id, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE discoveries (       -- a search for a program's pages, and its best find
            target TEXT NOT NULL,
            cycle_id INTEGER NOT NULL REFERENCES cycles(id),
            fetched INTEGER NOT NULL,
            kept INTEGER NOT NULL,
            PRIMARY KEY (target, cycle_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE leases (
            name TEXT PRIMARY KEY,
            host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT NOT NULL,
            renewed_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
    )


@migrations()
def m003_policies_and_changes(db: Database) -> None:
    """What each program's policy was and is, and what was flagged."""
    _run(
        db,
        """
        CREATE TABLE policies (          -- history; the last row of a program stands
            id INTEGER PRIMARY KEY,
            program_id TEXT NOT NULL REFERENCES programs(id),
            cycle_id INTEGER REFERENCES cycles(id),
            since TEXT NOT NULL,
            origin TEXT NOT NULL CHECK (origin IN ('read', 'dismissed', 'corrected')),
            policy TEXT NOT NULL,        -- JSON: what is shown
            reading TEXT NOT NULL,       -- JSON: what the pages said when it began to stand
            inherited_from TEXT
        ) STRICT;
        CREATE INDEX policies_program ON policies(program_id, id);
        CREATE TABLE pending (           -- a difference that must be seen again to be flagged
            program_id TEXT PRIMARY KEY REFERENCES programs(id),
            kind TEXT NOT NULL,
            first_cycle INTEGER NOT NULL, last_cycle INTEGER NOT NULL,
            cycles INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE changes (
            id INTEGER PRIMARY KEY,
            program_id TEXT NOT NULL REFERENCES programs(id),
            cycle_id INTEGER NOT NULL REFERENCES cycles(id),
            kind TEXT NOT NULL,
            severity TEXT NOT NULL CHECK (severity IN ('critical', 'major', 'minor')),
            status TEXT NOT NULL
                CHECK (status IN ('open', 'accepted', 'dismissed', 'corrected')),
            before TEXT NOT NULL, after TEXT NOT NULL,   -- JSON policies
            url TEXT,
            detected_at TEXT NOT NULL,
            UNIQUE (program_id, cycle_id)
        ) STRICT;
        CREATE INDEX changes_status ON changes(status, id);
        CREATE TABLE reviews (
            id INTEGER PRIMARY KEY,
            change_id INTEGER NOT NULL REFERENCES changes(id),
            verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'dismissed', 'corrected')),
            by TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL,
            policy TEXT                  -- JSON, of a correction
        ) STRICT;
        CREATE TRIGGER reviews_are_not_rewritten BEFORE UPDATE ON reviews
            BEGIN SELECT raise(ABORT, 'reviews are kept for good'); END;
        CREATE TRIGGER reviews_are_not_deleted BEFORE DELETE ON reviews
            BEGIN SELECT raise(ABORT, 'reviews are kept for good'); END;
        """,
    )


@migrations()
def m004_subscriptions_and_outbox(db: Database) -> None:
    """Who is told, and what is on its way to them."""
    _run(
        db,
        """
        CREATE TABLE subscriptions (
            id INTEGER PRIMARY KEY,
            email TEXT NOT NULL,
            program_id TEXT, institution TEXT, specialty TEXT, state TEXT, visa TEXT,
            severity TEXT NOT NULL,      -- the least that is mailed
            frequency TEXT NOT NULL CHECK (frequency IN ('at_once', 'daily', 'weekly')),
            token TEXT NOT NULL UNIQUE,  -- in unsubscribe links
            created_at TEXT NOT NULL,
            ended_at TEXT
        ) STRICT;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL UNIQUE,
            email TEXT NOT NULL,
            subject TEXT NOT NULL,
            message BLOB NOT NULL,       -- the whole MIME message, zstandard
            created_at TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'refused')),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt_at TEXT NOT NULL,
            sent_at TEXT,
            error TEXT
        ) STRICT;
        CREATE INDEX outbox_queued ON outbox(next_attempt_at) WHERE state = 'queued';
        CREATE TABLE mailed (            -- each change goes to each address once
            email TEXT NOT NULL,
            change_id INTEGER NOT NULL REFERENCES changes(id),
            outbox_id INTEGER NOT NULL REFERENCES outbox(id),
            PRIMARY KEY (email, change_id)
        ) STRICT, WITHOUT ROWID;
        """,
    )


@migrations()
def m005_statements_of_pages(db: Database) -> None:
    """A page is read once for all who ask: its statements are kept, in place of one policy."""
    _run(
        db,
        """
        ALTER TABLE readings RENAME COLUMN policy TO statements;
        DELETE FROM readings;            -- policies; the pages are read anew when asked for
        """,
    )


@migrations()
def m006_outages(db: Database) -> None:
    """Which pages were reported as unreadable, so that it is said once."""
    _run(
        db,
        """
        CREATE TABLE outages (
            page_id INTEGER NOT NULL REFERENCES pages(id),
            reported_cycle INTEGER NOT NULL REFERENCES cycles(id),
            ended_cycle INTEGER REFERENCES cycles(id),   -- NULL: it is not over
            detail TEXT NOT NULL,
            PRIMARY KEY (page_id, reported_cycle)
        ) STRICT, WITHOUT ROWID;
        """,
    )


@migrations()
def m008_addresses_and_doubts(db: Database) -> None:
    """Alerts go to URLs too; and a server may never say whether it has taken a mail."""
    _run(
        db,
        """
        ALTER TABLE subscriptions RENAME COLUMN email TO address;
        CREATE TEMP TABLE mailed_before AS SELECT * FROM mailed;
        CREATE TEMP TABLE outbox_before AS SELECT * FROM outbox;
        DROP TABLE mailed;
        DROP TABLE outbox;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL UNIQUE,
            address TEXT NOT NULL,       -- an e-mail address, or the URL of a channel
            subject TEXT NOT NULL,
            message BLOB NOT NULL,       -- the whole MIME message, zstandard
            created_at TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'refused', 'unconfirmed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            doubts INTEGER NOT NULL DEFAULT 0,   -- attempts of which nobody knows the outcome
            next_attempt_at TEXT NOT NULL,
            sent_at TEXT,
            error TEXT
        ) STRICT;
        CREATE INDEX outbox_queued ON outbox(next_attempt_at) WHERE state = 'queued';
        INSERT INTO outbox SELECT id, message_id, email, subject, message, created_at, state,
            attempts, 0, next_attempt_at, sent_at, error FROM outbox_before;
        CREATE TABLE mailed (            -- each change goes to each address once
            address TEXT NOT NULL,       -- as store.records.address_key has it
            change_id INTEGER NOT NULL REFERENCES changes(id),
            outbox_id INTEGER NOT NULL REFERENCES outbox(id),
            PRIMARY KEY (address, change_id)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO mailed SELECT * FROM mailed_before;
        DROP TABLE mailed_before;
        DROP TABLE outbox_before;
        """,
    )


@migrations()
def m011_several_things_wait(db: Database) -> None:
    """Of one program several things may be gone, each for a number of nights of its own."""
    _run(
        db,
        """
        ALTER TABLE pending RENAME TO pending_before;
        CREATE TABLE pending (           -- what must be seen again to be flagged
            program_id TEXT NOT NULL REFERENCES programs(id),
            kind TEXT NOT NULL,
            first_cycle INTEGER NOT NULL, last_cycle INTEGER NOT NULL,
            cycles INTEGER NOT NULL,
            PRIMARY KEY (program_id, kind)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO pending SELECT program_id, kind, first_cycle, last_cycle, cycles
            FROM pending_before;
        DROP TABLE pending_before;
        """,
    )


@migrations()
def m012_review_room(db: Database) -> None:
    """Who reviews, what else is said of a change, and decisions that can be undone."""
    _run(
        db,
        """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            role TEXT NOT NULL CHECK (role IN ('reviewer', 'admin')),
            password TEXT NOT NULL,      -- argon2id, with its salt and costs
            created_at TEXT NOT NULL
        ) STRICT;
        CREATE TABLE sessions (
            token BLOB PRIMARY KEY,      -- SHA-256 of the cookie
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            began_at TEXT NOT NULL,
            seen_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE failed_log_ins (
            key TEXT NOT NULL,           -- a name, an address, or both
            at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX failed_log_ins_key ON failed_log_ins(key, at);

        CREATE TEMP TABLE reviews_before AS SELECT * FROM reviews;
        DROP TABLE reviews;
        CREATE TABLE reviews (
            id INTEGER PRIMARY KEY,
            change_id INTEGER REFERENCES changes(id),
            program_id TEXT REFERENCES programs(id),     -- of a reading that no change led to
            verdict TEXT NOT NULL
                CHECK (verdict IN ('accepted', 'dismissed', 'corrected', 'undone')),
            by TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL,
            policy TEXT,                 -- JSON, of a correction
            CHECK ((change_id IS NULL) <> (program_id IS NULL))
        ) STRICT;
        CREATE INDEX reviews_by_change ON reviews(change_id);
        CREATE INDEX reviews_by_program ON reviews(program_id) WHERE program_id IS NOT NULL;
        INSERT INTO reviews
            SELECT id, change_id, NULL, verdict, by, note, at, policy FROM reviews_before;
        DROP TABLE reviews_before;
        CREATE TRIGGER reviews_are_not_rewritten BEFORE UPDATE ON reviews
            BEGIN SELECT raise(ABORT, 'reviews are kept for good'); END;
        CREATE TRIGGER reviews_are_not_deleted BEFORE DELETE ON reviews
            BEGIN SELECT raise(ABORT, 'reviews are kept for good'); END;

        CREATE TABLE remarks (           -- what is said of a change beside decisions
            id INTEGER PRIMARY KEY,
            change_id INTEGER NOT NULL REFERENCES changes(id),
            kind TEXT NOT NULL CHECK (kind IN ('comment', 'assigned', 'snoozed')),
            text TEXT NOT NULL,          -- the comment, to whom, until which day; '': no longer
            by TEXT NOT NULL, at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX remarks_change ON remarks(change_id);
        CREATE TRIGGER remarks_are_not_rewritten BEFORE UPDATE ON remarks
            BEGIN SELECT raise(ABORT, 'remarks are kept for good'); END;
        CREATE TRIGGER remarks_are_not_deleted BEFORE DELETE ON remarks
            BEGIN SELECT raise(ABORT, 'remarks are kept for good'); END;

        CREATE TABLE examples (          -- corrections as labelled passages for the extractors
            review_id INTEGER PRIMARY KEY REFERENCES reviews(id),
            by TEXT NOT NULL, at TEXT NOT NULL,
            example TEXT NOT NULL        -- JSON, as a line of tests/data/development.jsonl
        ) STRICT;
        """,
    )


@migrations()
def m013_search(db: Database) -> None:
    """What programs are searched by: their words, and what stands for each, kept by a trigger."""
    _run(
        db,
        """
        ALTER TABLE programs ADD COLUMN words TEXT NOT NULL DEFAULT '';  -- see store.words
        ALTER TABLE programs ADD COLUMN name TEXT NOT NULL DEFAULT '';   -- by which it is sorted
        CREATE INDEX programs_name ON programs(name, id) WHERE removed_at IS NULL;
        CREATE INDEX programs_institution ON programs(institution_id, specialty);
        CREATE INDEX programs_specialty ON programs(specialty, name, id) WHERE removed_at IS NULL;
        CREATE INDEX programs_state ON programs(state, city, name, id) WHERE removed_at IS NULL;
        CREATE INDEX programs_level ON programs(level) WHERE removed_at IS NULL;
        CREATE TABLE standings (         -- of the policy that stands, what is asked for
            program_id TEXT PRIMARY KEY REFERENCES programs(id),
            category TEXT NOT NULL,
            needs_review INTEGER NOT NULL,
            since TEXT NOT NULL,
            checked_at INTEGER           -- as of the last cycle; seconds since 1970, UTC
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX standings_category ON standings(category);
        CREATE INDEX standings_checked ON standings(checked_at, program_id);
        CREATE TABLE standing_stances (
            program_id TEXT NOT NULL REFERENCES programs(id),
            visa TEXT NOT NULL,
            stance TEXT NOT NULL,
            PRIMARY KEY (visa, program_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX standing_stances_program ON standing_stances(program_id);
        CREATE TABLE standing_conditions (
            program_id TEXT NOT NULL REFERENCES programs(id),
            kind TEXT NOT NULL,
            PRIMARY KEY (kind, program_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX standing_conditions_program ON standing_conditions(program_id);
        CREATE TRIGGER policies_stand AFTER INSERT ON policies BEGIN
            INSERT INTO standings (program_id, category, needs_review, since) VALUES (
                NEW.program_id,
                coalesce(json_extract(NEW.policy, '$.category'), 'unstated'),
                coalesce(json_extract(NEW.policy, '$.needs_review'), 0),
                NEW.since
            ) ON CONFLICT (program_id) DO UPDATE SET category = excluded.category,
                needs_review = excluded.needs_review, since = excluded.since;
            DELETE FROM standing_stances WHERE program_id = NEW.program_id;
            INSERT INTO standing_stances
                SELECT NEW.program_id, key, value FROM json_each(NEW.policy, '$.stances');
            DELETE FROM standing_conditions WHERE program_id = NEW.program_id;
            INSERT OR IGNORE INTO standing_conditions
                SELECT NEW.program_id, json_extract(value, '$.kind')
                FROM json_each(NEW.policy, '$.conditions');
        END;
        CREATE INDEX changes_detected ON changes(detected_at);

        CREATE TEMP TABLE stand AS
            SELECT * FROM policies WHERE id IN (SELECT max(id) FROM policies GROUP BY program_id);
        INSERT INTO standings SELECT program_id,
            coalesce(json_extract(policy, '$.category'), 'unstated'),
            coalesce(json_extract(policy, '$.needs_review'), 0), since, NULL FROM stand;
        INSERT INTO standing_stances
            SELECT program_id, key, value FROM stand, json_each(policy, '$.stances');
        INSERT OR IGNORE INTO standing_conditions
            SELECT program_id, json_extract(value, '$.kind')
            FROM stand, json_each(policy, '$.conditions');
        DROP TABLE stand;
        """,
    )
    for row in db.query(
        "SELECT p.*, i.name AS institution FROM programs p"
        " JOIN institutions i ON i.id = p.institution_id"
    ):
        words = searchable(
            row["institution"], row["specialty"], row["level"], row["city"], row["state"]
        )
        db.conn.execute(
            "UPDATE programs SET words = ?, name = ? WHERE id = ?",
            (words, sortable(row["institution"], row["specialty"]), row["id"]),
        )


@migrations()
def m014_invitations(db: Database) -> None:
    """Who has asked on the web to be told, and has not agreed by mail yet."""
    _run(
        db,
        """
        CREATE TABLE invitations (
            id INTEGER PRIMARY KEY,
            address TEXT NOT NULL,
            key TEXT NOT NULL,           -- the address, as store.records.address_key has it
            program_id TEXT NOT NULL, institution TEXT NOT NULL, specialty TEXT NOT NULL,
            state TEXT NOT NULL, visa TEXT NOT NULL,
            severity TEXT NOT NULL, frequency TEXT NOT NULL,
            token TEXT NOT NULL UNIQUE,
            created_at TEXT NOT NULL,
            confirmed_at TEXT
        ) STRICT;
        CREATE INDEX invitations_key ON invitations(key);
        CREATE INDEX invitations_created ON invitations(created_at);
        """,
    )


@migrations()
def m015_waves_and_flaps(db: Database) -> None:
    """What belongs together beyond one night, and which policies go back and forth."""
    _run(
        db,
        """
        CREATE TABLE waves (             -- many institutions that changed the same way
            id INTEGER PRIMARY KEY,
            visa TEXT NOT NULL,
            way TEXT NOT NULL,           -- see monitor.waves
            cycle_id INTEGER NOT NULL REFERENCES cycles(id),   -- in which it was recognised
            UNIQUE (visa, way, cycle_id)
        ) STRICT;
        ALTER TABLE changes ADD COLUMN wave_id INTEGER REFERENCES waves(id);
        CREATE INDEX changes_wave ON changes(wave_id) WHERE wave_id IS NOT NULL;
        CREATE TABLE turns (             -- when a program's pages came to say something else
            program_id TEXT NOT NULL REFERENCES programs(id),
            cycle_id INTEGER NOT NULL REFERENCES cycles(id),
            at TEXT NOT NULL,
            said TEXT NOT NULL,          -- JSON: stances and conditions; see monitor.flapping
            PRIMARY KEY (program_id, cycle_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE flaps (             -- policies that were reported as going back and forth
            program_id TEXT NOT NULL REFERENCES programs(id),
            reported_cycle INTEGER NOT NULL REFERENCES cycles(id),
            ended_cycle INTEGER REFERENCES cycles(id),   -- NULL: it is not over
            PRIMARY KEY (program_id, reported_cycle)
        ) STRICT, WITHOUT ROWID;
        """,
    )


@migrations()
def m017_reported(db: Database) -> None:
    """What maintainers were told by mail beside changes, each thing once to each address."""
    _run(
        db,
        """
        CREATE TABLE reported (
            address TEXT NOT NULL,       -- as store.records.address_key has it
            what TEXT NOT NULL,          -- see monitor.reporting
            outbox_id INTEGER NOT NULL REFERENCES outbox(id),
            PRIMARY KEY (address, what)
        ) STRICT, WITHOUT ROWID;
        """,
    )


@migrations()
def m018_what_stands(db: Database) -> None:
    """What a target list asks of each policy that stands, without reading the policies."""
    _run(
        db,
        """
        ALTER TABLE standings ADD COLUMN said TEXT NOT NULL DEFAULT '{}';  -- JSON
        ALTER TABLE standings ADD COLUMN confidence REAL NOT NULL DEFAULT 0;
        CREATE TRIGGER policies_say AFTER INSERT ON policies BEGIN
            INSERT INTO standings (program_id, category, needs_review, since, said, confidence)
            VALUES (NEW.program_id, 'unstated', 0, NEW.since,
                json_object(
                    'stances', json(coalesce(json_extract(NEW.policy, '$.stances'), '{}')),
                    'conditions', json(coalesce(json_extract(NEW.policy, '$.conditions'), '[]'))),
                coalesce(json_extract(NEW.policy, '$.confidence'), 0)
            ) ON CONFLICT (program_id) DO UPDATE SET said = excluded.said,
                confidence = excluded.confidence;
        END;
        UPDATE standings SET (said, confidence) = (SELECT
            json_object(
                'stances', json(coalesce(json_extract(y.policy, '$.stances'), '{}')),
                'conditions', json(coalesce(json_extract(y.policy, '$.conditions'), '[]'))),
            coalesce(json_extract(y.policy, '$.confidence'), 0)
            FROM policies y WHERE y.id =
            (SELECT max(id) FROM policies WHERE program_id = standings.program_id));
        """,
    )


@migrations()
def m019_lists(db: Database) -> None:
    """What lists show is found by index: programs that were never seen stand in `standings`, too,
    pages know their last health, and changes are listed without their policies."""
    _run(
        db,
        """
        CREATE TEMP TABLE standings_before AS SELECT * FROM standings;
        DROP TRIGGER policies_stand;
        DROP TRIGGER policies_say;
        DROP TABLE standings;
        CREATE TABLE standings (         -- of every program's policy, what is asked for
            program_id TEXT PRIMARY KEY REFERENCES programs(id),
            category TEXT NOT NULL DEFAULT 'unseen',
            needs_review INTEGER NOT NULL DEFAULT 0,
            confidence REAL NOT NULL DEFAULT 0,
            said TEXT,                   -- JSON: stances and conditions; NULL: never seen
            since INTEGER NOT NULL DEFAULT 0,       -- seconds since 1970, UTC; 0: never
            checked_at INTEGER NOT NULL DEFAULT 0   -- the same, as of the last cycle
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX standings_category ON standings(category);
        CREATE INDEX standings_changed ON standings(-since, program_id);
        CREATE INDEX standings_checked ON standings(-checked_at, program_id);
        CREATE INDEX standings_unchecked ON standings(checked_at, program_id);
        CREATE INDEX standings_doubts ON standings(confidence, program_id) WHERE needs_review;
        CREATE TRIGGER programs_stand AFTER INSERT ON programs BEGIN
            INSERT OR IGNORE INTO standings (program_id) VALUES (NEW.id);
        END;
        CREATE TRIGGER policies_stand AFTER INSERT ON policies BEGIN
            UPDATE standings SET
                category = coalesce(json_extract(NEW.policy, '$.category'), 'unstated'),
                needs_review = coalesce(json_extract(NEW.policy, '$.needs_review'), 0),
                confidence = coalesce(json_extract(NEW.policy, '$.confidence'), 0),
                said = json_object(
                    'stances', json(coalesce(json_extract(NEW.policy, '$.stances'), '{}')),
                    'conditions', json(coalesce(json_extract(NEW.policy, '$.conditions'), '[]'))),
                since = coalesce(CAST(strftime('%s', NEW.since) AS INTEGER), 0)
                WHERE program_id = NEW.program_id;
            DELETE FROM standing_stances WHERE program_id = NEW.program_id;
            INSERT INTO standing_stances
                SELECT NEW.program_id, key, value FROM json_each(NEW.policy, '$.stances');
            DELETE FROM standing_conditions WHERE program_id = NEW.program_id;
            INSERT OR IGNORE INTO standing_conditions
                SELECT NEW.program_id, json_extract(value, '$.kind')
                FROM json_each(NEW.policy, '$.conditions');
        END;
        INSERT INTO standings SELECT p.id, coalesce(s.category, 'unseen'),
            coalesce(s.needs_review, 0), coalesce(s.confidence, 0), s.said,
            coalesce(CAST(strftime('%s', s.since) AS INTEGER), 0), coalesce(s.checked_at, 0)
            FROM programs p LEFT JOIN standings_before s ON s.program_id = p.id;
        DROP TABLE standings_before;

        CREATE INDEX programs_place ON programs(coalesce(state, '') = '', coalesce(state, ''),
            coalesce(city, ''), name, id) WHERE removed_at IS NULL;
        CREATE INDEX changes_told ON changes(detected_at, cycle_id, program_id)
            WHERE severity <> 'minor';
        CREATE INDEX changes_brief ON changes(status, id, severity, kind, program_id, cycle_id,
            wave_id, detected_at);

        ALTER TABLE pages ADD COLUMN health TEXT NOT NULL DEFAULT 'never_seen';  -- the last one
        UPDATE pages SET health = coalesce((SELECT health FROM observations
            WHERE page_id = pages.id ORDER BY cycle_id DESC, attempt DESC LIMIT 1), 'never_seen');
        CREATE INDEX pages_health ON pages(health);
        CREATE TRIGGER observations_tell AFTER INSERT ON observations BEGIN
            UPDATE pages SET health = NEW.health WHERE id = NEW.page_id AND health <> NEW.health
                AND NOT EXISTS (SELECT 1 FROM observations WHERE page_id = NEW.page_id
                    AND (cycle_id, attempt) > (NEW.cycle_id, NEW.attempt));
        END;
        """,
    )


@migrations()
def m020_sources(db: Database) -> None:
    """What other channels than the pages say, whom we asked, and what was answered."""
    _allow_fused(db)
    _run(
        db,
        """
        CREATE TABLE evidence (
            id INTEGER PRIMARY KEY,
            program_id TEXT NOT NULL REFERENCES programs(id),
            channel TEXT NOT NULL CHECK (channel IN ('coordinator', 'freida', 'resident')),
            season INTEGER NOT NULL,     -- the Match year that it speaks of
            at TEXT NOT NULL,
            said TEXT NOT NULL,          -- JSON: stances and conditions
            who TEXT NOT NULL,           -- of a resident a salted hash
            quote TEXT NOT NULL,
            link TEXT NOT NULL,
            confidence REAL NOT NULL,
            doubtful INTEGER NOT NULL,
            note TEXT NOT NULL,          -- what a maintainer should know of it
            state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected')),
            decided_by TEXT, decided_at TEXT,
            key TEXT NOT NULL UNIQUE     -- of what it was made from: the same is not filed twice
        ) STRICT;
        CREATE INDEX evidence_program ON evidence(program_id, id);
        CREATE INDEX evidence_waiting ON evidence(state) WHERE state = 'waiting';
        CREATE TABLE questions (         -- to coordinators: one to each program in a season
            id INTEGER PRIMARY KEY,
            program_id TEXT NOT NULL REFERENCES programs(id),
            season INTEGER NOT NULL,
            address TEXT NOT NULL,
            message_id TEXT NOT NULL UNIQUE,
            approved_by TEXT NOT NULL,
            asked_at TEXT NOT NULL,
            UNIQUE (program_id, season)
        ) STRICT;
        CREATE TABLE answers (           -- every mail that was read, so that none is read twice
            message_id TEXT PRIMARY KEY,
            question_id INTEGER REFERENCES questions(id),
            kind TEXT NOT NULL CHECK (kind IN ('answer', 'auto_reply', 'bounce', 'unreadable')),
            sender TEXT NOT NULL,
            received_at TEXT NOT NULL,
            read_at TEXT NOT NULL,
            problem TEXT NOT NULL        -- why nothing could be made of it; empty: it was queued
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX answers_question ON answers(question_id);
        CREATE TABLE salts (             -- of residents' hashes; one a season, then forgotten
            season INTEGER PRIMARY KEY,
            salt BLOB NOT NULL
        ) STRICT;
        """,
    )


def _make_anew(db: Database, table: str, old: str, new: str) -> None:
    """Changes a word of a table's own SQL, which SQLite allows with a new table alone.

    Rows, indexes and triggers stay. What refers to the table is checked once its rows are back.
    """
    kept = [
        row["sql"]
        for row in db.query(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL"
            " ORDER BY type <> 'table', rowid",
            [table],
        )
    ]
    made = kept[0].replace(old, new, 1)
    assert made != kept[0], kept[0]  # noqa: S101 (an earlier migration has made it)
    db.conn.execute("PRAGMA defer_foreign_keys = on")
    db.conn.execute(f"CREATE TEMP TABLE rows_before AS SELECT * FROM {table}")  # noqa: S608
    db.conn.execute(f"DROP TABLE {table}")
    db.conn.execute(made)
    db.conn.execute(f"INSERT INTO {table} SELECT * FROM rows_before")  # noqa: S608
    db.conn.execute("DROP TABLE rows_before")
    for script in kept[1:]:
        db.conn.execute(script)


def _allow_fused(db: Database) -> None:
    """Lets a policy be 'fused' from several channels."""
    before = "('read', 'dismissed', 'corrected')"
    _make_anew(db, "policies", before, "('read', 'dismissed', 'corrected', 'fused')")
    db.conn.execute(
        "CREATE INDEX policies_fused ON policies(origin, program_id) WHERE origin = 'fused'"
    )


@migrations()
def m021_changes_of_other_channels(db: Database) -> None:
    """A policy may change though no page did: such a change has a channel, and no cycle."""
    _make_anew(db, "changes", "cycle_id INTEGER NOT NULL", "cycle_id INTEGER")
    db.conn.execute("ALTER TABLE changes ADD COLUMN channel TEXT NOT NULL DEFAULT 'website'")


@migrations()
def m022_visits(db: Database) -> None:
    """How often a visitor may do something counts in all processes, and after a restart."""
    _run(
        db,
        """
        CREATE TABLE visits (
            what TEXT NOT NULL,          -- subscribe | report
            who TEXT NOT NULL,           -- a salted hash of an address
            at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX visits_who ON visits(what, who);
        """,
    )


@migrations()
def m023_after_change(db: Database) -> None:
    """A subscription begins after a change, not at a time: the clock may have been wrong then."""
    _run(
        db,
        """
        ALTER TABLE subscriptions ADD COLUMN after_change INTEGER NOT NULL DEFAULT 0;
        UPDATE subscriptions SET after_change = coalesce((
            SELECT max(id) FROM changes WHERE detected_at < subscriptions.created_at), 0);
        """,
    )


@migrations()
def m024_decisions(db: Database) -> None:
    """A policy names the decision by which it stands: of two in one second, each its own."""
    _run(
        db,
        """
        ALTER TABLE policies ADD COLUMN review_id INTEGER REFERENCES reviews(id);
        UPDATE policies SET review_id = (SELECT max(r.id) FROM reviews r
            LEFT JOIN changes c ON c.id = r.change_id WHERE r.at = policies.since
            AND coalesce(r.program_id, c.program_id) = policies.program_id);
        CREATE INDEX policies_review ON policies(review_id, program_id)
            WHERE review_id IS NOT NULL;
        """,
    )


@migrations()
def m025_told(db: Database) -> None:
    """Of which decisions on a change they know who were told of it: later ones are told, too."""
    _run(
        db,
        """
        ALTER TABLE mailed ADD COLUMN told INTEGER NOT NULL DEFAULT 0;  -- a review; 0: none yet
        UPDATE mailed SET told =
            coalesce((SELECT max(id) FROM reviews WHERE change_id = mailed.change_id), 0);
        CREATE INDEX mailed_change ON mailed(change_id, told);
        """,
    )


@migrations()
def m026_words_by_name(db: Database) -> None:
    """A search for words reads the index by name alone, not each program: in half the time."""
    _run(
        db,
        """
        DROP INDEX programs_name;
        CREATE INDEX programs_name ON programs(name, id, words) WHERE removed_at IS NULL;
        """,
    )


@migrations()
def m027_rendered(db: Database) -> None:
    """A page that needed a browser to be read is shown in one again."""
    db.conn.execute(
        "ALTER TABLE pages ADD COLUMN rendered INTEGER NOT NULL DEFAULT 0"
        " CHECK (rendered IN (0, 1))"
    )


@migrations()
def m028_opinions(db: Database) -> None:
    """What the second reader has made of some words is not worked out again the next night."""
    _run(
        db,
        """
        CREATE TABLE opinions (
            window BLOB PRIMARY KEY,     -- a hash of the words
            reader TEXT NOT NULL,        -- the version of the model
            chances BLOB NOT NULL        -- of each stance, for each visa, in thousandths
        ) STRICT, WITHOUT ROWID;
        """,
    )
