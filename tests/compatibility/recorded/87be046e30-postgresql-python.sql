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
INSERT INTO "conflicts" VALUES(7,'update_update','["votes"]','{"votes":0}','{"collection":"cards","id":"01a22e0f-74d6-7609-ab27-71d23b0b7098","revision":2,"scope":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","object":{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.614484Z"}}','01a22e10-2d57-7497-a407-487419579fb1');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES('client_id','"01a22e10-2b52-763d-9de7-8460d14d5d29"');
INSERT INTO "meta" VALUES('cursor','"hiwcYpAoHbBfbU_4je6nZYdqPmev8SOJBOpNvHuoyYsLR-fKQaCWbESPjoSFw_4qwUSSse6yHUL9gA6a56eO0P8pZ1P5FFiTcmCMRksTQ5C2vpKHTSFdDxK2y2Km9irTcLutvbUiibKGvt89x0lNSO9HSBnaaXSX3nLC"');
INSERT INTO "meta" VALUES('epoch','"01a22e10-2d57-7497-a407-487419579fb1"');
INSERT INTO "meta" VALUES('feeder','null');
INSERT INTO "meta" VALUES('fingerprint','"56988b5f40401e22d30fa44f073a0f8bb00004130c286c90186ac51212835a68"');
INSERT INTO "meta" VALUES('pulls','6');
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('seq','15');
INSERT INTO "meta" VALUES('server_epoch','"01a22e10-2d57-7497-a407-487419579fb1"');
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
INSERT INTO "outbox" VALUES(7,'01a22e10-47ca-76b1-a752-4baae4a0e441','cards','01a22e0f-74d6-7609-ab27-71d23b0b7098','update',1,'01a22e10-2d57-7497-a407-487419579fb1','{"votes":7}','{"votes":0}','2026-11-30T20:05:48.618030Z','conflict',NULL,0,3,2);
INSERT INTO "outbox" VALUES(9,'01a22e10-5093-71a3-8b07-bb032a7c271e','cards','01a22e0f-74d9-7681-8384-8ffb22b9c6a5','update',1,'01a22e10-2d57-7497-a407-487419579fb1','{"title":"Ada''s title, sent once"}','{"title":"Python 5"}','2026-11-30T20:05:50.867250Z','sent','{"id":"01a22e10-5093-71a3-8b07-bb032a7c271e","seq":9,"op":"update","collection":"cards","object_id":"01a22e0f-74d9-7681-8384-8ffb22b9c6a5","base_revision":1,"fields":{"title":"Ada''s title, sent once"},"epoch":"01a22e10-2d57-7497-a407-487419579fb1","base":{"title":"Python 5"},"at":"2026-11-30T20:05:50.867250Z"}',0,NULL,NULL);
INSERT INTO "outbox" VALUES(10,'01a22e10-52f0-71c8-880d-a7644b83618d','cards','01a22e10-52f0-71c8-880d-a76358a9b337','create',NULL,NULL,'{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Not sent","labels":["01a22e0e-f80b-7908-a183-56bd05037403"]}',NULL,'2026-11-30T20:05:51.472887Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(11,'01a22e10-530e-7258-b882-3827d06ea517','comments','01a22e10-530d-7786-a637-5409d600bfde','create',NULL,NULL,'{"card":"01a22e10-52f0-71c8-880d-a76358a9b337","text":"Not sent either"}',NULL,'2026-11-30T20:05:51.502538Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(12,'01a22e10-5315-71d6-892b-4f9437bb9162','cards','01a22e0f-74ea-7281-a91b-7b8c8661634c','update',1,'01a22e10-2d57-7497-a407-487419579fb1','{"body":"Ada''s body"}','{"body":""}','2026-11-30T20:05:51.509977Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(13,'01a22e10-5326-7418-8fd7-a70cf6719153','cards','01a22e0f-74fa-7444-9f4e-81994e96751b','update',1,'01a22e10-2d57-7497-a407-487419579fb1','{"votes":70}','{"votes":0}','2026-11-30T20:05:51.526363Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(14,'01a22e10-5336-7289-84b5-56cecf5965a8','cards','01a22e0f-7502-7552-bd22-459db2a453a9','update',1,'01a22e10-2d57-7497-a407-487419579fb1','{"title":"Ada''s title, not sent"}','{"title":"Python 8"}','2026-11-30T20:05:51.542455Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(15,'01a22e10-5345-71b2-8982-7107ec11371d','cards','01a22e0f-750b-770d-b70f-447a1e33dea0','delete',1,'01a22e10-2d57-7497-a407-487419579fb1','{}',NULL,'2026-11-30T20:05:51.557979Z','new',NULL,0,NULL,NULL);
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
INSERT INTO "records" VALUES('boards','01a22e0e-f6d7-7b6c-94e7-1bc9da054b51',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"name":"Launch","color":"#3465a4","owner":"ada"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e0e-f6ea-7cee-84ba-ead57e5730cb',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"name":"Research","color":"#4e9a06","owner":"grace"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e0f-764e-75f1-9e69-a20cd02587b4',1,'01a22e0f-764e-75f1-9e69-a20cd02587b4','{"name":"Closing","color":"#3465a4","owner":"alan"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f947-75f4-b4d7-0e14bb5a41bb',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Write the press release","body":"","column":"done","position":1.0,"votes":2,"due":null,"checklist":[],"labels":["01a22e0e-f80b-7abc-a40f-503538c25fc2"],"created_at":"2026-11-30T20:04:03.254973Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-70bb-931c-e73661ea4f1c',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Book the hall","body":"","column":"doing","position":3.0,"votes":0,"due":"2026-12-09","checklist":[],"labels":[],"created_at":"2026-11-30T20:04:03.366711Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-71de-8ec3-c436b223179d',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"board":"01a22e0e-f6ea-7cee-84ba-ead57e5730cb","title":"Find the moth","body":"","column":"done","position":2.0,"votes":4,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:03.644345Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-72c6-80f4-229d08fa65e0',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"board":"01a22e0e-f6ea-7cee-84ba-ead57e5730cb","title":"Shorten a nanosecond","body":"","column":"todo","position":3.0,"votes":0,"due":"2026-12-30","checklist":[],"labels":["01a22e0e-f80b-7738-b34d-ad7dc8cdf3de"],"created_at":"2026-11-30T20:04:03.690953Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-75e8-926a-edd9f075630c',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Invite the neighbours","body":"","column":"todo","position":5.0,"votes":0,"due":"2026-12-16","checklist":[],"labels":[],"created_at":"2026-11-30T20:04:03.454081Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-7ab7-a92e-da0f2f21aa2c',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"board":"01a22e0e-f6ea-7cee-84ba-ead57e5730cb","title":"Compare three compilers","body":"","column":"doing","position":1.0,"votes":1,"due":null,"checklist":[],"labels":["01a22e0e-f80c-77ba-9598-3d304dfa40da"],"created_at":"2026-11-30T20:04:03.593587Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-7c3a-b789-5b188aa6953f',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Translate the manual","body":"","column":"todo","position":4.0,"votes":3,"due":null,"checklist":[{"done":false,"text":"Chapters 1 to 4"},{"done":false,"text":"The index"}],"labels":["01a22e0e-f80b-7abc-a40f-503538c25fc2"],"created_at":"2026-11-30T20:04:03.418586Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0e-f948-7e2b-b176-45a41f8b6825',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Check pump 7","body":"","column":"doing","position":2.0,"votes":0,"due":"2026-12-02","checklist":[{"done":true,"text":"Valves"},{"done":true,"text":"Bearings"},{"done":false,"text":"Seals"}],"labels":["01a22e0e-f80b-7767-aaf6-3901f0a28de5","01a22e0e-f80b-7908-a183-56bd05037403"],"created_at":"2026-11-30T20:04:03.306722Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-749a-7076-ad7a-dca55f632d63',2,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 1","body":"Written by Ada","column":"todo","position":1.0,"votes":0,"due":"2030-05-01","checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.554983Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-74ca-73d0-bd43-97eb19d6d924',3,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 3","body":"","column":"doing","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.602693Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-74d6-7609-ab27-71d23b0b7098',2,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.614484Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-74d9-7681-8384-8ffb22b9c6a5',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.617581Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-74ea-7281-a91b-7b8c8661634c',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.634509Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-74fa-7444-9f4e-81994e96751b',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.650378Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7502-7552-bd22-459db2a453a9',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.658524Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-750b-770d-b70f-447a1e33dea0',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.667349Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7524-74d8-8160-689576b7138d',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.692447Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-753a-7372-8182-4cc31d378071',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.714687Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7552-7093-af22-71808b8b4a71',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Python 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.738455Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-755c-7248-b354-de2820994602',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 1","body":"","column":"todo","position":1.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.748778Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7579-76d9-9453-fda10e299d39',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 2","body":"","column":"todo","position":2.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.778113Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-758a-776d-9cb0-8a75dd948fb2',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 3","body":"","column":"todo","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.794419Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7596-70e3-8063-74b4391ee0b1',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 4","body":"","column":"todo","position":4.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.807041Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-75a6-72cf-82ad-51522b45a856',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.822955Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-75bc-760c-ab97-bd3f1ab05daa',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.844777Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-75da-7221-ade8-bb4ded1cd742',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.874690Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-75e6-736f-861a-21dced9e7437',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.886691Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7602-7210-b85c-756e025e6408',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.914418Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-761a-7388-8509-bda30120f0d5',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.938212Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7636-7096-8394-84db3f8cdde0',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.966746Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7648-734e-a4d0-6877d0c8ecc8',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"JavaScript 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:54.984232Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e0f-7662-70e6-936a-9ca8c6423a33',1,'01a22e0f-764e-75f1-9e69-a20cd02587b4','{"board":"01a22e0f-764e-75f1-9e69-a20cd02587b4","title":"Nobody else''s soon","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T20:04:55.010482Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e10-36f8-732d-922e-443177eabf52',3,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","title":"Made by Ada","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[{"done":true,"text":"Ü – “ß”"}],"labels":["01a22e0e-f80b-7767-aaf6-3901f0a28de5"],"created_at":"2026-11-30T20:05:44.891856Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-fae9-72c5-90cd-20966d10627e',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"card":"01a22e0e-f948-7ab7-a92e-da0f2f21aa2c","author":"grace","text":"Mine is fastest.","created_at":"2026-11-30T20:04:03.642444Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-fae9-7549-b791-b1524163329a',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"card":"01a22e0e-f948-7e2b-b176-45a41f8b6825","author":"grace","text":"It hums.","created_at":"2026-11-30T20:04:03.358876Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e0e-fae9-77cb-851d-08c30ce43528',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"card":"01a22e0e-f948-70bb-931c-e73661ea4f1c","author":"ada","text":"Tuesday or Thursday?","created_at":"2026-11-30T20:04:03.398586Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e10-3736-703b-a987-a26d20860747',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"card":"01a22e10-36f8-732d-922e-443177eabf52","author":"ada","text":"Made with it","created_at":"2026-11-30T20:05:45.243989Z"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-f80b-7738-b34d-ad7dc8cdf3de',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"board":"01a22e0e-f6ea-7cee-84ba-ead57e5730cb","name":"idea","color":"#c4a000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-f80b-7767-aaf6-3901f0a28de5',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","name":"urgent","color":"#cc0000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-f80b-7908-a183-56bd05037403',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","name":"hardware","color":"#75507b"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-f80b-7abc-a40f-503538c25fc2',1,'01a22e0e-f6d7-7b6c-94e7-1bc9da054b51','{"board":"01a22e0e-f6d7-7b6c-94e7-1bc9da054b51","name":"docs","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e0e-f80c-77ba-9598-3d304dfa40da',1,'01a22e0e-f6ea-7cee-84ba-ead57e5730cb','{"board":"01a22e0e-f6ea-7cee-84ba-ead57e5730cb","name":"measured","color":"#4e9a06"}',0,0);
CREATE TABLE rejections (
    seq INTEGER PRIMARY KEY,
    mutation TEXT NOT NULL,
    problem TEXT NOT NULL
);
INSERT INTO "rejections" VALUES(8,'{"id":"01a22e10-47d2-7043-b67d-f83f36c03bef","seq":8,"op":"update","collection":"cards","object_id":"01a22e0e-f948-71de-8ec3-c436b223179d","fields":{"title":"Ada may only look at this"},"base_revision":1,"epoch":"01a22e10-2d57-7497-a407-487419579fb1","base":null,"at":"2026-11-30T20:05:48.626688Z","state":"new"}','{"type":"urn:django-sync:error:permission_denied","title":"The user may not do this","status":403,"detail":"You may not write here.","code":"permission_denied"}');
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
