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
INSERT INTO "conflicts" VALUES(7,'update_update','["votes"]','{"votes":0}','{"collection":"cards","id":"01a22e02-dcaa-7173-8ab3-09b50e93b7ef","revision":2,"scope":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","object":{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.226708Z"}}','01a22e03-08a1-713f-92ab-53a709921e81');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES('client_id','"01a22e03-0827-7089-8189-b0fa47c3599c"');
INSERT INTO "meta" VALUES('cursor','"pTaZg2Pj1ONSHKSeK9eaN_O5T07eLlghob9nmFz5Xwy5g0rmzpfCwIMtm56PCBlYJ8IabPD2r7rkA4uG8qw1-oJQt0D807jUuPs_-u8ZsFat_U3rPZBM97l6VdOJhTSnI_0K6Cac0ywIx4TlfbKkr_tG1d7sxcHHbqop48o"');
INSERT INTO "meta" VALUES('epoch','"01a22e03-08a1-713f-92ab-53a709921e81"');
INSERT INTO "meta" VALUES('fingerprint','"3a3d3b8224e4249f859bbf18f59b5f89780a9804185b5cf7d5cad666668a95ad"');
INSERT INTO "meta" VALUES('pulls','5');
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('seq','15');
INSERT INTO "meta" VALUES('server_epoch','"01a22e03-08a1-713f-92ab-53a709921e81"');
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
INSERT INTO "outbox" VALUES(7,'01a22e03-0f1a-716e-9735-11986675894f','cards','01a22e02-dcaa-7173-8ab3-09b50e93b7ef','update',1,'01a22e03-08a1-713f-92ab-53a709921e81','{"votes":7}','{"votes":0}','2026-11-30T19:51:22.138383Z','conflict',NULL,0,3,2);
INSERT INTO "outbox" VALUES(9,'01a22e03-1197-70fd-9378-157a4ade9b21','cards','01a22e02-dcba-7103-a38c-9a8b04b2a6a3','update',1,'01a22e03-08a1-713f-92ab-53a709921e81','{"title":"Ada''s title, sent once"}','{"title":"Python 5"}','2026-11-30T19:51:22.775924Z','sent','{"id":"01a22e03-1197-70fd-9378-157a4ade9b21","seq":9,"op":"update","collection":"cards","object_id":"01a22e02-dcba-7103-a38c-9a8b04b2a6a3","base_revision":1,"fields":{"title":"Ada''s title, sent once"},"epoch":"01a22e03-08a1-713f-92ab-53a709921e81","base":{"title":"Python 5"},"at":"2026-11-30T19:51:22.775924Z"}',0,NULL,NULL);
INSERT INTO "outbox" VALUES(10,'01a22e03-12d4-7633-82fc-1ffc61220c49','cards','01a22e03-12d3-73c1-8dbf-e91a5692fa8d','create',NULL,NULL,'{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Not sent","labels":["01a22e02-c31b-7549-8f75-2856ce77bc4c"]}',NULL,'2026-11-30T19:51:23.092068Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(11,'01a22e03-12e9-746a-9369-cd82d660a118','comments','01a22e03-12e9-746a-9369-cd815d4d1aaf','create',NULL,NULL,'{"card":"01a22e03-12d3-73c1-8dbf-e91a5692fa8d","text":"Not sent either"}',NULL,'2026-11-30T19:51:23.114004Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(12,'01a22e03-12f2-7456-a4e1-5006054bd4f2','cards','01a22e02-dcc4-758d-b48f-6b3772b35bda','update',1,'01a22e03-08a1-713f-92ab-53a709921e81','{"body":"Ada''s body"}','{"body":""}','2026-11-30T19:51:23.122668Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(13,'01a22e03-1304-7543-8a46-f7595e2e5f2f','cards','01a22e02-dcd2-7127-b3a8-c0ff1d97dfee','update',1,'01a22e03-08a1-713f-92ab-53a709921e81','{"votes":70}','{"votes":0}','2026-11-30T19:51:23.140701Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(14,'01a22e03-1312-70c6-8abe-33ad9fd36161','cards','01a22e02-dcd5-7269-8e3b-c7f240d4d16d','update',1,'01a22e03-08a1-713f-92ab-53a709921e81','{"title":"Ada''s title, not sent"}','{"title":"Python 8"}','2026-11-30T19:51:23.154737Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(15,'01a22e03-131e-7138-bc8e-91190a54243a','cards','01a22e02-dce2-77dd-9b95-cf23c0690f13','delete',1,'01a22e03-08a1-713f-92ab-53a709921e81','{}',NULL,'2026-11-30T19:51:23.166678Z','new',NULL,0,NULL,NULL);
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
INSERT INTO "records" VALUES('boards','01a22e02-c2e0-7586-bc3f-e847b75abbb7',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"name":"Launch","color":"#3465a4","owner":"ada"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"name":"Research","color":"#4e9a06","owner":"grace"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e02-dd86-7114-a93a-9f7ee8f0a37b',1,'01a22e02-dd86-7114-a93a-9f7ee8f0a37b','{"name":"Closing","color":"#3465a4","owner":"alan"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c351-7f64-9970-2b68a9647d0c',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Write the press release","body":"","column":"done","position":1.0,"votes":2,"due":null,"checklist":[],"labels":["01a22e02-c31b-7549-8f75-2856ce77bc4c"],"created_at":"2026-11-30T19:50:58.671252Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-72b1-b217-add9e8bf291e',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Book the hall","body":"","column":"doing","position":3.0,"votes":0,"due":"2026-12-09","checklist":[],"labels":[],"created_at":"2026-11-30T19:50:58.690353Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-73c7-accb-8dcfd2d2e742',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Invite the neighbours","body":"","column":"todo","position":5.0,"votes":0,"due":"2026-12-16","checklist":[],"labels":[],"created_at":"2026-11-30T19:50:58.696776Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-79eb-bb16-122da822cb1f',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"board":"01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f","title":"Find the moth","body":"","column":"done","position":2.0,"votes":4,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:50:58.712518Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-7c2c-8c77-5fc2b0c33e1b',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Translate the manual","body":"","column":"todo","position":4.0,"votes":3,"due":null,"checklist":[{"done":false,"text":"Chapters 1 to 4"},{"done":false,"text":"The index"}],"labels":["01a22e02-c31b-7549-8f75-2856ce77bc4c"],"created_at":"2026-11-30T19:50:58.694144Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-7c42-b5c1-e22c1645f1b1',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Check pump 7","body":"","column":"doing","position":2.0,"votes":0,"due":"2026-12-02","checklist":[{"done":true,"text":"Valves"},{"done":true,"text":"Bearings"},{"done":false,"text":"Seals"}],"labels":["01a22e02-c31a-7321-a1f5-f23d5f3388fd","01a22e02-c31b-7b4c-8dd5-d2f25660527f"],"created_at":"2026-11-30T19:50:58.679491Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c352-7e00-ab5a-55f9b744e525',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"board":"01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f","title":"Compare three compilers","body":"","column":"doing","position":1.0,"votes":1,"due":null,"checklist":[],"labels":["01a22e02-c31b-756d-96ce-d59d06b79277"],"created_at":"2026-11-30T19:50:58.708214Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-c353-7bf2-8cda-b39c9c83ea9f',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"board":"01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f","title":"Shorten a nanosecond","body":"","column":"todo","position":3.0,"votes":0,"due":"2026-12-30","checklist":[],"labels":["01a22e02-c31b-7693-9540-d4b69ac1ffd3"],"created_at":"2026-11-30T19:50:58.715694Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dc6e-7563-80c7-a5edc9277c7b',2,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 1","body":"Written by Ada","column":"todo","position":1.0,"votes":0,"due":"2030-05-01","checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.166987Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dc9c-70e4-a513-1b9263e41fa0',3,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 3","body":"","column":"doing","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.212174Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcaa-7173-8ab3-09b50e93b7ef',2,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.226708Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcba-7103-a38c-9a8b04b2a6a3',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.242455Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcc4-758d-b48f-6b3772b35bda',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.252617Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcd2-7127-b3a8-c0ff1d97dfee',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.266537Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcd5-7269-8e3b-c7f240d4d16d',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.269874Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dce2-77dd-9b95-cf23c0690f13',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.282548Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcee-7097-b946-b2a995557ea1',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.294498Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dcf7-77ca-ad1d-8f586f22129f',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.303976Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd0e-714a-935d-1fba4a97618b',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Python 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.326513Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd1e-7106-9b2f-3ba2a0da20d4',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 1","body":"","column":"todo","position":1.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.342677Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd26-7179-8ce8-4006c3bf0328',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 2","body":"","column":"todo","position":2.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.350637Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd2f-7665-b278-6ff6b68e8cdd',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 3","body":"","column":"todo","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.360054Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd36-703d-b07e-052fcc511cf7',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 4","body":"","column":"todo","position":4.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.366589Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd40-714a-b630-61c19528c4eb',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.376511Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd4a-7179-85d9-24a42508bb85',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.386460Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd50-7089-8212-30109831a2d6',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.392592Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd5a-744a-a0d6-d1a7ebc79427',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.402742Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd63-707f-a3ed-2b9b0cd3f925',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.411509Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd72-7171-9009-a6598744df8b',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.426544Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd75-716f-a67d-ce6c1bf1c5f0',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.429973Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd7f-750a-80df-30e148e23fda',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"JavaScript 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.439546Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e02-dd9a-76f7-bf62-5d889559ed18',1,'01a22e02-dd86-7114-a93a-9f7ee8f0a37b','{"board":"01a22e02-dd86-7114-a93a-9f7ee8f0a37b","title":"Nobody else''s soon","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:51:09.466594Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e03-0adf-718f-b94a-ecd50dd9cfbd',3,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","title":"Made by Ada","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[{"done":true,"text":"Ü – “ß”"}],"labels":["01a22e02-c31a-7321-a1f5-f23d5f3388fd"],"created_at":"2026-11-30T19:51:21.136562Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e02-c397-71f8-9f5c-f7faa75e8465',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"card":"01a22e02-c352-7c42-b5c1-e22c1645f1b1","author":"grace","text":"It hums.","created_at":"2026-11-30T19:50:58.683365Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e02-c398-7190-838f-d522f469bd28',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"card":"01a22e02-c352-72b1-b217-add9e8bf291e","author":"ada","text":"Tuesday or Thursday?","created_at":"2026-11-30T19:50:58.693248Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e02-c399-7764-a47b-e065f410f9c0',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"card":"01a22e02-c352-7e00-ab5a-55f9b744e525","author":"grace","text":"Mine is fastest.","created_at":"2026-11-30T19:50:58.711483Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e03-0ae6-71c2-840c-1fe3d710102c',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"card":"01a22e03-0adf-718f-b94a-ecd50dd9cfbd","author":"ada","text":"Made with it","created_at":"2026-11-30T19:51:21.182364Z"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e02-c31a-7321-a1f5-f23d5f3388fd',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","name":"urgent","color":"#cc0000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e02-c31b-7549-8f75-2856ce77bc4c',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","name":"docs","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e02-c31b-756d-96ce-d59d06b79277',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"board":"01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f","name":"measured","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e02-c31b-7693-9540-d4b69ac1ffd3',1,'01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f','{"board":"01a22e02-c2e5-7c2a-a8dd-1f9076b7da5f","name":"idea","color":"#c4a000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e02-c31b-7b4c-8dd5-d2f25660527f',1,'01a22e02-c2e0-7586-bc3f-e847b75abbb7','{"board":"01a22e02-c2e0-7586-bc3f-e847b75abbb7","name":"hardware","color":"#75507b"}',0,0);
CREATE TABLE rejections (
    seq INTEGER PRIMARY KEY,
    mutation TEXT NOT NULL,
    problem TEXT NOT NULL
);
INSERT INTO "rejections" VALUES(8,'{"id":"01a22e03-0f23-72b2-ae10-11f3cd6a55fe","seq":8,"op":"update","collection":"cards","object_id":"01a22e02-c352-79eb-bb16-122da822cb1f","fields":{"title":"Ada may only look at this"},"base_revision":1,"epoch":"01a22e03-08a1-713f-92ab-53a709921e81","base":null,"at":"2026-11-30T19:51:22.147220Z","state":"new"}','{"type":"urn:django-sync:error:permission_denied","title":"The user may not do this","status":403,"detail":"You may not write here.","code":"permission_denied"}');
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
