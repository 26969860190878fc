BEGIN TRANSACTION;
CREATE TABLE collections (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL DEFAULT 0,  -- raised when the collection comes anew
    sweeping INTEGER NOT NULL DEFAULT 0,    -- what is not of this generation goes at the end
    replaces INTEGER NOT NULL DEFAULT 0     -- a new epoch: revisions of unseen records mean nothing
) WITHOUT ROWID;
INSERT INTO "collections" VALUES('boards',0,0,0);
INSERT INTO "collections" VALUES('cards',0,0,0);
INSERT INTO "collections" VALUES('comments',0,0,0);
INSERT INTO "collections" VALUES('labels',0,0,0);
CREATE TABLE conflicts (
    seq INTEGER PRIMARY KEY REFERENCES outbox (seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    base TEXT,
    server TEXT NOT NULL,
    epoch TEXT
);
INSERT INTO "conflicts" VALUES(7,'update_update','["votes"]','{"votes":0}','{"collection":"cards","id":"01a22e0f-4fa1-77d8-b80f-3fc513968d71","revision":2,"scope":"01a22e0e-ccde-792c-bd28-2e445204ea99","object":{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.113519Z"}}','01a22e10-1124-70ad-a24a-d34e152b2d83');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES('client_id','"01a22e10-0f7d-74d4-b665-8e03ec1e224c"');
INSERT INTO "meta" VALUES('cursor','"N67kCObbMhsZ0Vc47erKEuYZQtyfg9gJ1cj9WQts2KCkdPAvZY1eur9mcbpHK0dsJ6vpBqzZ3ndSfj_9ifOO0nzUcbboZ1uCGR-Css38Ye352cMNaL_nre2oYRfhwLKsnUiAvPgo4oMGsGL32zQPxzI_4w5ihWTOK1hRgg"');
INSERT INTO "meta" VALUES('epoch','"01a22e10-1124-70ad-a24a-d34e152b2d83"');
INSERT INTO "meta" VALUES('feeder','null');
INSERT INTO "meta" VALUES('fingerprint','"9caa0ca280d7b390883b167e95087b0c71d8b013bd42545c4534dfd205779395"');
INSERT INTO "meta" VALUES('pulls','6');
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('seq','15');
INSERT INTO "meta" VALUES('server_epoch','"01a22e10-1124-70ad-a24a-d34e152b2d83"');
INSERT INTO "meta" VALUES('snapshot','null');
INSERT INTO "meta" VALUES('stream','0');
INSERT INTO "meta" VALUES('url','"http://localhost:8000/sync/"');
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    collection TEXT NOT NULL,
    object_id TEXT NOT NULL,
    op TEXT NOT NULL,
    base_revision INTEGER,
    epoch TEXT,
    fields TEXT NOT NULL,
    base TEXT,
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT,                              -- what was sent, byte for byte
    whole INTEGER NOT NULL DEFAULT 0,       -- sent with all that is known of the object
    settled_pull INTEGER,                   -- the last pull begun before its result came
    settled_revision INTEGER                -- the object's after it, as the result told
);
INSERT INTO "outbox" VALUES(7,'01a22e10-1f32-7136-8dbf-06b3bd51821f','cards','01a22e0f-4fa1-77d8-b80f-3fc513968d71','update',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{"votes":7}','{"votes":0}','2026-11-30T20:05:38.226164Z','conflict',NULL,0,3,2);
INSERT INTO "outbox" VALUES(9,'01a22e10-2514-76c0-9648-c13ac4682e9a','cards','01a22e0f-4fbb-7487-a55e-89f5fdaad50a','update',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{"title":"Ada''s title, sent once"}','{"title":"Python 5"}','2026-11-30T20:05:39.732569Z','sent','{"id":"01a22e10-2514-76c0-9648-c13ac4682e9a","seq":9,"op":"update","collection":"cards","object_id":"01a22e0f-4fbb-7487-a55e-89f5fdaad50a","base_revision":1,"fields":{"title":"Ada''s title, sent once"},"epoch":"01a22e10-1124-70ad-a24a-d34e152b2d83","base":{"title":"Python 5"},"at":"2026-11-30T20:05:39.732569Z"}',0,NULL,NULL);
INSERT INTO "outbox" VALUES(10,'01a22e10-27e8-767b-be49-c8a7f3c53648','cards','01a22e10-27e7-75b3-9464-8cf8217effec','create',NULL,NULL,'{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Not sent","labels":["01a22e0e-cd23-7876-8265-0949a0e6872a"]}',NULL,'2026-11-30T20:05:40.456212Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(11,'01a22e10-27fe-702e-93f2-bc3d5d6f3d74','comments','01a22e10-27fe-702e-93f2-bc3c04be85fb','create',NULL,NULL,'{"card":"01a22e10-27e7-75b3-9464-8cf8217effec","text":"Not sent either"}',NULL,'2026-11-30T20:05:40.478955Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(12,'01a22e10-2820-734e-9aa2-637fd32ed664','cards','01a22e0f-4fbc-76b7-b9bc-38b2c2b772aa','update',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{"body":"Ada''s body"}','{"body":""}','2026-11-30T20:05:40.512836Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(13,'01a22e10-284f-7200-b6af-1d97a4dab0b2','cards','01a22e0f-4fce-763d-882b-93a0af6d2ee1','update',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{"votes":70}','{"votes":0}','2026-11-30T20:05:40.559470Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(14,'01a22e10-285e-72fb-8ae5-490cd936a237','cards','01a22e0f-4fd0-70b8-8d09-7facebc8f014','update',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{"title":"Ada''s title, not sent"}','{"title":"Python 8"}','2026-11-30T20:05:40.574191Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(15,'01a22e10-2868-7077-94a2-aae14bf570da','cards','01a22e0f-4fdd-7438-9821-be504003a4d1','delete',1,'01a22e10-1124-70ad-a24a-d34e152b2d83','{}',NULL,'2026-11-30T20:05:40.584399Z','new',NULL,0,NULL,NULL);
CREATE TABLE outbox_size (
    open INTEGER NOT NULL                   -- mutations without a result, counted by the triggers
);
INSERT INTO "outbox_size" VALUES(7);
CREATE TABLE records (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    scope TEXT NOT NULL,
    object TEXT NOT NULL,
    generation INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,     -- kept only while local edits stand on it
    PRIMARY KEY (collection, id)
) WITHOUT ROWID;
INSERT INTO "records" VALUES('boards','01a22e0e-ccde-792c-bd28-2e445204ea99',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"name":"Launch","color":"#3465a4","owner":"ada"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e0e-ccde-7de0-bf61-c864919c7212',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"name":"Research","color":"#4e9a06","owner":"grace"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e0f-50c4-7551-9d8a-3ebe3ba9bb28',1,'01a22e0f-50c4-7551-9d8a-3ebe3ba9bb28','{"name":"Closing","color":"#3465a4","owner":"alan"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-705d-ab8d-c8717542c369',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"board":"01a22e0e-ccde-7de0-bf61-c864919c7212","title":"Compare three compilers","body":"","column":"doing","position":1.0,"votes":1,"due":null,"checklist":[],"labels":["01a22e0e-cd23-7159-b35e-87289116b33c"],"created_at":"2026-11-30T20:03:57.845263Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-73a1-98e3-f5d569457eb1',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Invite the neighbours","body":"","column":"todo","position":5.0,"votes":0,"due":"2026-12-16","checklist":[],"labels":[],"created_at":"2026-11-30T20:03:57.810983Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-7483-9569-9f4e68a63505',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"board":"01a22e0e-ccde-7de0-bf61-c864919c7212","title":"Shorten a nanosecond","body":"","column":"todo","position":3.0,"votes":0,"due":"2026-12-30","checklist":[],"labels":["01a22e0e-cd23-79f0-abf0-ecf7459fbf51"],"created_at":"2026-11-30T20:03:57.904430Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-75f2-b231-6f86fa3a4fc2',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Check pump 7","body":"","column":"doing","position":2.0,"votes":0,"due":"2026-12-02","checklist":[{"text":"Valves","done":true},{"text":"Bearings","done":true},{"text":"Seals","done":false}],"labels":["01a22e0e-cd23-744f-982c-c3d1c234972e","01a22e0e-cd23-78b0-9d39-f798885eb22a"],"created_at":"2026-11-30T20:03:57.718581Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-779a-9920-86be0be15511',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Book the hall","body":"","column":"doing","position":3.0,"votes":0,"due":"2026-12-09","checklist":[],"labels":[],"created_at":"2026-11-30T20:03:57.755448Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-7dc8-b972-69164dfdbc3d',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"board":"01a22e0e-ccde-7de0-bf61-c864919c7212","title":"Find the moth","body":"","column":"done","position":2.0,"votes":4,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:03:57.902058Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-7dda-8341-2b74fb1153df',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Translate the manual","body":"","column":"todo","position":4.0,"votes":3,"due":null,"checklist":[{"text":"Chapters 1 to 4","done":false},{"text":"The index","done":false}],"labels":["01a22e0e-cd23-7876-8265-0949a0e6872a"],"created_at":"2026-11-30T20:03:57.783353Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-cd6e-7dda-a7b2-53a6a67a6eb3',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Write the press release","body":"","column":"done","position":1.0,"votes":2,"due":null,"checklist":[],"labels":["01a22e0e-cd23-7876-8265-0949a0e6872a"],"created_at":"2026-11-30T20:03:57.662882Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4f73-72c6-9e51-aaf2f1af5e94',2,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 1","body":"Written by Ada","column":"todo","position":1.0,"votes":0,"due":"2030-05-01","checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.044309Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fa0-75d1-88ee-6b57e26d795b',3,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 3","body":"","column":"doing","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.088324Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fa1-77d8-b80f-3fc513968d71',2,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.113519Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fbb-7487-a55e-89f5fdaad50a',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.115480Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fbc-76b7-b9bc-38b2c2b772aa',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.116854Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fce-763d-882b-93a0af6d2ee1',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.134875Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fd0-70b8-8d09-7facebc8f014',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.136457Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fdd-7438-9821-be504003a4d1',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.150171Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4fdf-70c7-a812-7b9a17daeeb9',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.152077Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4ff1-7541-b061-7f80f7c171ad',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.169687Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4ff3-7255-98f1-d8ca4a745f36',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Python 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.171490Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-4ff4-7634-9f18-e5410a2d45eb',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 1","body":"","column":"todo","position":1.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.172844Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-500a-738e-a91b-7dcd941a2143',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 2","body":"","column":"todo","position":2.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.195120Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-500c-73aa-9277-687b250a812d',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 3","body":"","column":"todo","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.196466Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5020-71d2-9484-5e3cca75d198',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 4","body":"","column":"todo","position":4.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.217212Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5022-7521-9af0-808cdbc6167e',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.218922Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5024-7683-b4ee-368b36458a99',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.220342Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5036-74f5-a319-5beb3060c301',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.239199Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5038-7184-8d16-905ce0aa313a',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.240876Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5052-774a-a9ff-668e4d071cf0',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.266536Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5053-70a5-9102-e69f02bf4233',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.267434Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5054-7423-a282-21f64f1ac4b3',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.268117Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5054-7423-a282-21f7dba433a0',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.268700Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-505d-73aa-a972-6a4db233011f',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 13","body":"","column":"todo","position":13.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.277613Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-505f-75e4-83d1-da40e1d11803',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 14","body":"","column":"todo","position":14.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.279131Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-505f-75e4-83d1-da41af0a7cb6',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 15","body":"","column":"todo","position":15.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.279896Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5060-7684-aa72-f7b16bf62471',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 16","body":"","column":"todo","position":16.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.280570Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5061-7316-a884-ce1245db92cf',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 17","body":"","column":"todo","position":17.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.281181Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5072-75b2-8131-7707f2cfa6ce',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 18","body":"","column":"todo","position":18.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.299004Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5073-7643-88fd-10fcb1472961',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 19","body":"","column":"todo","position":19.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.299909Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5074-7574-af24-793337efac93',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 20","body":"","column":"todo","position":20.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.300750Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5085-76bf-998c-a9f05842c280',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 21","body":"","column":"todo","position":21.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.318162Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5087-772e-bcee-74d413d18959',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 22","body":"","column":"todo","position":22.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.319781Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5088-7418-bd7c-faa0ff5936c6',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 23","body":"","column":"todo","position":23.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.320587Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5089-77c6-9c4c-a9411c98cb10',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 24","body":"","column":"todo","position":24.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.333546Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5097-713e-a2f1-5591e1bf61e4',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 25","body":"","column":"todo","position":25.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.335214Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5097-713e-a2f1-55923cd72cc6',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 26","body":"","column":"todo","position":26.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.336009Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5098-767c-8591-0148a3a1b11a',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 27","body":"","column":"todo","position":27.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.336654Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-5099-740a-974c-47bacb5b68fe',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 28","body":"","column":"todo","position":28.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.361566Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-50b3-7761-9f99-934250008526',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 29","body":"","column":"todo","position":29.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.363369Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-50b4-735a-8b29-226e8fbd8869',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 30","body":"","column":"todo","position":30.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.364352Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-50b4-735a-8b29-226f4b3ad58f',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 31","body":"","column":"todo","position":31.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.364972Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-50c2-76c4-9090-343a07f6aed1',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"JavaScript 32","body":"","column":"todo","position":32.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.378890Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-50e4-74b7-9d90-2c02e5648e71',1,'01a22e0f-50c4-7551-9d8a-3ebe3ba9bb28','{"board":"01a22e0f-50c4-7551-9d8a-3ebe3ba9bb28","title":"Nobody else''s soon","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:45.412397Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e10-17ca-77e5-9cf3-efce3a7b5e94',3,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","title":"Made by Ada","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[{"text":"Ü – “ß”","done":true}],"labels":["01a22e0e-cd23-744f-982c-c3d1c234972e"],"created_at":"2026-11-30T20:05:36.611271Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-cda0-71b2-b3b5-9be95156263d',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"card":"01a22e0e-cd6e-75f2-b231-6f86fa3a4fc2","author":"grace","text":"It hums.","created_at":"2026-11-30T20:03:57.753893Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-cda0-7529-9629-beacd58498bb',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"card":"01a22e0e-cd6e-705d-ab8d-c8717542c369","author":"grace","text":"Mine is fastest.","created_at":"2026-11-30T20:03:57.872716Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-cda0-776c-85fd-289399c6c584',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"card":"01a22e0e-cd6e-779a-9920-86be0be15511","author":"ada","text":"Tuesday or Thursday?","created_at":"2026-11-30T20:03:57.781970Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e10-17f6-7663-8a12-eb89409f06df',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"card":"01a22e10-17ca-77e5-9cf3-efce3a7b5e94","author":"ada","text":"Made with it","created_at":"2026-11-30T20:05:36.736872Z"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-cd23-7159-b35e-87289116b33c',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"board":"01a22e0e-ccde-7de0-bf61-c864919c7212","name":"measured","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-cd23-744f-982c-c3d1c234972e',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","name":"hardware","color":"#75507b"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-cd23-7876-8265-0949a0e6872a',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","name":"docs","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-cd23-78b0-9d39-f798885eb22a',1,'01a22e0e-ccde-792c-bd28-2e445204ea99','{"board":"01a22e0e-ccde-792c-bd28-2e445204ea99","name":"urgent","color":"#cc0000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-cd23-79f0-abf0-ecf7459fbf51',1,'01a22e0e-ccde-7de0-bf61-c864919c7212','{"board":"01a22e0e-ccde-7de0-bf61-c864919c7212","name":"idea","color":"#c4a000"}',0,0);
CREATE TABLE rejections (
    seq INTEGER PRIMARY KEY,
    mutation TEXT NOT NULL,
    problem TEXT NOT NULL
);
INSERT INTO "rejections" VALUES(8,'{"id":"01a22e10-1f3c-756d-be63-86ef07ee7442","seq":8,"op":"update","collection":"cards","object_id":"01a22e0e-cd6e-7dc8-b972-69164dfdbc3d","fields":{"title":"Ada may only look at this"},"base_revision":1,"epoch":"01a22e10-1124-70ad-a24a-d34e152b2d83","base":null,"at":"2026-11-30T20:05:38.236742Z","state":"new"}','{"type":"urn:django-sync:error:permission_denied","title":"The user may not do this","status":403,"detail":"You may not write here.","code":"permission_denied"}');
CREATE INDEX records_scope ON records (collection, scope);
CREATE INDEX records_deleted ON records (collection) WHERE deleted;
CREATE INDEX outbox_object ON outbox (collection, object_id);
CREATE INDEX outbox_state ON outbox (state);
CREATE TRIGGER outbox_added AFTER INSERT ON outbox WHEN NEW.state IN ('new', 'sent', 'aborted')
    BEGIN UPDATE outbox_size SET open = open + 1; END;
CREATE TRIGGER outbox_removed AFTER DELETE ON outbox WHEN OLD.state IN ('new', 'sent', 'aborted')
    BEGIN UPDATE outbox_size SET open = open - 1; END;
CREATE TRIGGER outbox_moved AFTER UPDATE OF state ON outbox
    WHEN (NEW.state IN ('new', 'sent', 'aborted')) != (OLD.state IN ('new', 'sent', 'aborted'))
    BEGIN UPDATE outbox_size SET open = open + iif(NEW.state IN ('new', 'sent', 'aborted'), 1, -1); END;
CREATE INDEX "outbox by [""cards"", ""board""]" ON outbox (CASE WHEN NOT json_valid(fields) OR instr(fields, '\u') THEN 9 ELSE CASE json_type(fields, '$."board"') WHEN 'null' THEN 0 WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN CASE typeof(json_extract(fields, '$."board"')) WHEN 'integer' THEN 3 ELSE 9 END WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 5 ELSE CASE op WHEN 'create' THEN 0 END END END, CASE WHEN json_valid(fields) AND json_type(fields, '$."board"') IN ('integer', 'real', 'text') THEN json_extract(fields, '$."board"') END, object_id) WHERE collection = 'cards';
CREATE INDEX "outbox by [""cards"", ""votes""]" ON outbox (CASE WHEN NOT json_valid(fields) OR instr(fields, '\u') THEN 9 ELSE CASE json_type(fields, '$."votes"') WHEN 'null' THEN 0 WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN CASE typeof(json_extract(fields, '$."votes"')) WHEN 'integer' THEN 3 ELSE 9 END WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 5 ELSE CASE op WHEN 'create' THEN 0 END END END, CASE WHEN json_valid(fields) AND json_type(fields, '$."votes"') IN ('integer', 'real', 'text') THEN json_extract(fields, '$."votes"') END, object_id) WHERE collection = 'cards';
CREATE INDEX "records by [""cards"", ""board""]" ON records (CASE WHEN NOT json_valid(object) OR instr(object, '\u') THEN 9 ELSE CASE json_type(object, '$."board"') WHEN 'null' THEN 0 WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN CASE typeof(json_extract(object, '$."board"')) WHEN 'integer' THEN 3 ELSE 9 END WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 5 ELSE 0 END END, CASE WHEN json_valid(object) AND json_type(object, '$."board"') IN ('integer', 'real', 'text') THEN json_extract(object, '$."board"') END, id) WHERE collection = 'cards';
CREATE INDEX "records by [""cards"", ""votes""]" ON records (CASE WHEN NOT json_valid(object) OR instr(object, '\u') THEN 9 ELSE CASE json_type(object, '$."votes"') WHEN 'null' THEN 0 WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN CASE typeof(json_extract(object, '$."votes"')) WHEN 'integer' THEN 3 ELSE 9 END WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 5 ELSE 0 END END, CASE WHEN json_valid(object) AND json_type(object, '$."votes"') IN ('integer', 'real', 'text') THEN json_extract(object, '$."votes"') END, id) WHERE collection = 'cards';
COMMIT;
