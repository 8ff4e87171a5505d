-- What a database of each earlier version holds, written with the tables of its time
-- (see test_store_upgrades.py). {policy} and such are filled in.

-- after m001_programs_and_pages
INSERT INTO institutions VALUES (1, 'Larkspur Hospital', 'https://larkspur.example/gme');
INSERT INTO programs (id, institution_id, specialty, level, state, eligibility_url)
    VALUES ('larkspur', 1, 'Neurology', 'residency', 'MA', 'https://larkspur.example/visas');
INSERT INTO programs (id, institution_id, specialty, level, removed_at)
    VALUES ('gone', 1, 'Surgery', 'residency', '2026-11-23T00:00:00Z');
INSERT INTO snapshots VALUES (1, x'{hash}', 'text/html', 67, x'{body}');
INSERT INTO pages VALUES (1, 'https://larkspur.example/visas', '"e"', NULL, 1, 1);
INSERT INTO page_moves VALUES (1, 1, 'https://larkspur.example/old', 'https://larkspur.example/visas');
INSERT INTO watches VALUES (1, 'larkspur', NULL, 'named');

-- after m002_cycles_and_observations
INSERT INTO cycles VALUES (1, '2026-11-24T02:00Z', '2026-11-24T02:00:00Z', '2026-11-24T02:09:00Z', '{{"pages": 1}}');
INSERT INTO cycles VALUES (2, NULL, '2026-11-25T02:00:00Z', NULL, NULL);
INSERT INTO observations VALUES (1, 1, 0, 1795485600, 'ok', 1, NULL);
INSERT INTO observations VALUES (1, 2, 0, 1795572000, 'gone', NULL, '404');
INSERT INTO leases VALUES ('cycle', 'elsewhere', 7, '1', '2026-11-25T02:00:00Z');

-- after m003_policies_and_changes
INSERT INTO policies (program_id, cycle_id, since, origin, policy, reading)
    VALUES ('larkspur', 1, '2026-11-24T02:00:00Z', 'read', '{before}', '{before}');
INSERT INTO policies (program_id, cycle_id, since, origin, policy, reading)
    VALUES ('larkspur', 1, '2026-11-24T09:00:00Z', 'corrected', '{policy}', '{before}');
INSERT INTO changes (id, program_id, cycle_id, kind, severity, status, before, after, detected_at)
    VALUES (7, 'larkspur', 1, 'policy_changed', 'critical', 'corrected', '{before}', '{policy}', '2026-11-24T02:00:00Z');
INSERT INTO pending VALUES ('larkspur', 'withdrawn', 2, 2, 1);
INSERT INTO reviews (change_id, verdict, by, note, at, policy)
    VALUES (7, 'corrected', 'ada', 'asked', '2026-11-24T09:00:00Z', '{policy}');

-- after m004_subscriptions_and_outbox
INSERT INTO subscriptions (email, severity, frequency, token, created_at, state)
    VALUES ('Ada@inbox.example', 'major', 'daily', 't', '2026-11-20T00:00:00Z', 'MA');
INSERT INTO subscriptions (email, severity, frequency, token, created_at)
    VALUES ('cyd@inbox.example', 'major', 'weekly', 'v', '2026-11-24T09:00:00Z');
INSERT INTO outbox (id, message_id, email, subject, message, created_at, state, attempts, next_attempt_at)
    VALUES (3, '<m>', 'Ada@inbox.example', 'News', x'{mail}', '2026-11-24T02:09:00Z', 'queued', 2, '2026-11-24T03:00:00Z');
INSERT INTO mailed VALUES ('ada@inbox.example', 7, 3);

-- after m006_outages
INSERT INTO outages VALUES (1, 2, NULL, '404');

-- after m012_review_room
INSERT INTO users VALUES (1, 'ada', 'admin', '$argon2id$x', '2026-11-20T00:00:00Z');
INSERT INTO remarks (change_id, kind, text, by, at)
    VALUES (7, 'comment', 'I have asked', 'ada', '2026-11-24T08:00:00Z');

-- after m014_invitations
INSERT INTO invitations VALUES (1, 'Ben@inbox.example', 'ben@inbox.example', '', '', '', 'MA', '', 'major', 'daily', 'u', '2026-11-24T00:00:00Z', NULL);

-- after m015_waves_and_flaps
INSERT INTO waves VALUES (1, 'H-1B', 'less', 1);
UPDATE changes SET wave_id = 1;
INSERT INTO turns VALUES ('larkspur', 1, '2026-11-24T02:00:00Z', '{{}}');

-- after m017_reported
INSERT INTO reported VALUES ('ada@inbox.example', 'outage 1 2', 3);
