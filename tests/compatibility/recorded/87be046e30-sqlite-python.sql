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
INSERT INTO "conflicts" VALUES(7,'update_update','["votes"]','{"votes":0}','{"collection":"cards","id":"01a22e01-7b21-7783-8ef9-fb5e19b5c45b","revision":2,"scope":"01a22e01-592b-775d-904d-9e49c643162f","object":{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.721249Z"}}','01a22e01-be47-7314-bc18-e76dbd9df358');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES('client_id','"01a22e01-bd1c-70f9-9b02-f51a4df73f6f"');
INSERT INTO "meta" VALUES('cursor','"gLogWYxkhKkRKa-CL9EHVz6j44QjKYZt9k-HWjDMPRYDVLHFoPdyw-TEwAaItaPX0zTao7oZ5m1rIaT8tgY9ZgqQrwTJ1iXN3GB9PpBD0GsDsjMd9Iza5W67m0Y7ROPkUTLLgukXCsjht-1PtAflsaHs-3lWvV3wD3XCYg"');
INSERT INTO "meta" VALUES('epoch','"01a22e01-be47-7314-bc18-e76dbd9df358"');
INSERT INTO "meta" VALUES('fingerprint','"59bb57bd0fa4ce6eb6973c30d720d73a59a9bcde48e0803524dd40be13323731"');
INSERT INTO "meta" VALUES('pulls','5');
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('seq','15');
INSERT INTO "meta" VALUES('server_epoch','"01a22e01-be47-7314-bc18-e76dbd9df358"');
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
INSERT INTO "outbox" VALUES(7,'01a22e01-ca46-7618-a9ee-447f88f9f168','cards','01a22e01-7b21-7783-8ef9-fb5e19b5c45b','update',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{"votes":7}','{"votes":0}','2026-11-30T19:49:58.982694Z','conflict',NULL,0,3,2);
INSERT INTO "outbox" VALUES(9,'01a22e01-cec4-75b5-86b6-3657a6037689','cards','01a22e01-7b27-74ae-88ba-a8b080e6a284','update',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{"title":"Ada''s title, sent once"}','{"title":"Python 5"}','2026-11-30T19:50:00.132469Z','sent','{"id":"01a22e01-cec4-75b5-86b6-3657a6037689","seq":9,"op":"update","collection":"cards","object_id":"01a22e01-7b27-74ae-88ba-a8b080e6a284","base_revision":1,"fields":{"title":"Ada''s title, sent once"},"epoch":"01a22e01-be47-7314-bc18-e76dbd9df358","base":{"title":"Python 5"},"at":"2026-11-30T19:50:00.132469Z"}',0,NULL,NULL);
INSERT INTO "outbox" VALUES(10,'01a22e01-d034-7197-bf67-0bbb49eb79ae','cards','01a22e01-d034-7197-bf67-0bba45238554','create',NULL,NULL,'{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Not sent","labels":["01a22e01-593b-7efd-a0b4-7c146b645321"]}',NULL,'2026-11-30T19:50:00.500809Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(11,'01a22e01-d048-7488-94eb-be141bae4891','comments','01a22e01-d047-77d6-9c4f-43ded9b90fb5','create',NULL,NULL,'{"card":"01a22e01-d034-7197-bf67-0bba45238554","text":"Not sent either"}',NULL,'2026-11-30T19:50:00.520309Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(12,'01a22e01-d056-7516-963c-6cd019b54951','cards','01a22e01-7b28-71df-bc94-964d02da120b','update',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{"body":"Ada''s body"}','{"body":""}','2026-11-30T19:50:00.534712Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(13,'01a22e01-d066-73d1-9050-576d61660cd1','cards','01a22e01-7b2d-7398-bb21-861375486d9b','update',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{"votes":70}','{"votes":0}','2026-11-30T19:50:00.550535Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(14,'01a22e01-d073-7515-a0d6-1ef8f52ba127','cards','01a22e01-7b2f-7004-a59b-666ff61ef90f','update',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{"title":"Ada''s title, not sent"}','{"title":"Python 8"}','2026-11-30T19:50:00.563913Z','new',NULL,0,NULL,NULL);
INSERT INTO "outbox" VALUES(15,'01a22e01-d082-7196-b348-b8f906638ef6','cards','01a22e01-7b30-706a-842b-5ffeb0714e19','delete',1,'01a22e01-be47-7314-bc18-e76dbd9df358','{}',NULL,'2026-11-30T19:50:00.578965Z','new',NULL,0,NULL,NULL);
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
INSERT INTO "records" VALUES('boards','01a22e01-592b-775d-904d-9e49c643162f',1,'01a22e01-592b-775d-904d-9e49c643162f','{"name":"Launch","color":"#3465a4","owner":"ada"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e01-592b-79e8-958e-dbcf8b0a6a51',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"name":"Research","color":"#4e9a06","owner":"grace"}',0,0);
INSERT INTO "records" VALUES('boards','01a22e01-7b7f-7465-98ac-ffd0d537c6a9',1,'01a22e01-7b7f-7465-98ac-ffd0d537c6a9','{"name":"Closing","color":"#3465a4","owner":"alan"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-703d-b13f-6f9b3065b086',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Write the press release","body":"","column":"done","position":1.0,"votes":2,"due":null,"checklist":[],"labels":["01a22e01-593b-7f2b-94b4-b1a735e7e465"],"created_at":"2026-11-30T19:49:26.006624Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-74a6-acd8-2252fcb61ddb',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"board":"01a22e01-592b-79e8-958e-dbcf8b0a6a51","title":"Compare three compilers","body":"","column":"doing","position":1.0,"votes":1,"due":null,"checklist":[],"labels":["01a22e01-593b-7604-adf8-372eff2127aa"],"created_at":"2026-11-30T19:49:26.064082Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-7607-8f2e-3300c87f9353',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"board":"01a22e01-592b-79e8-958e-dbcf8b0a6a51","title":"Shorten a nanosecond","body":"","column":"todo","position":3.0,"votes":0,"due":"2026-12-30","checklist":[],"labels":["01a22e01-593b-7101-a1a0-69cc13cba072"],"created_at":"2026-11-30T19:49:26.078689Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-76bd-8e0e-f2ef18ff2aa1',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"board":"01a22e01-592b-79e8-958e-dbcf8b0a6a51","title":"Find the moth","body":"","column":"done","position":2.0,"votes":4,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:26.071748Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-783c-b8bd-22dec425ea14',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Book the hall","body":"","column":"doing","position":3.0,"votes":0,"due":"2026-12-09","checklist":[],"labels":[],"created_at":"2026-11-30T19:49:26.036954Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-789c-b5e2-405006100cd6',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Check pump 7","body":"","column":"doing","position":2.0,"votes":0,"due":"2026-12-02","checklist":[{"text":"Valves","done":true},{"text":"Bearings","done":true},{"text":"Seals","done":false}],"labels":["01a22e01-593b-7599-bfc1-3e08caafb3cd","01a22e01-593b-7efd-a0b4-7c146b645321"],"created_at":"2026-11-30T19:49:26.028053Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-7c67-ae39-cbf6f1833456',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Translate the manual","body":"","column":"todo","position":4.0,"votes":3,"due":null,"checklist":[{"text":"Chapters 1 to 4","done":false},{"text":"The index","done":false}],"labels":["01a22e01-593b-7f2b-94b4-b1a735e7e465"],"created_at":"2026-11-30T19:49:26.044526Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-594f-7d8c-b0b8-a35f78915e4c',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Invite the neighbours","body":"","column":"todo","position":5.0,"votes":0,"due":"2026-12-16","checklist":[],"labels":[],"created_at":"2026-11-30T19:49:26.051475Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7afb-725c-9078-fa3c4281b5a1',2,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 1","body":"Written by Ada","column":"todo","position":1.0,"votes":0,"due":"2030-05-01","checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.683517Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b20-7439-8cee-0d1e98185fe6',3,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 3","body":"","column":"doing","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.720185Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b21-7783-8ef9-fb5e19b5c45b',2,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 4","body":"","column":"todo","position":4.0,"votes":5,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.721249Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b27-74ae-88ba-a8b080e6a284',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.727481Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b28-71df-bc94-964d02da120b',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.728568Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b2d-7398-bb21-861375486d9b',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.733828Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b2f-7004-a59b-666ff61ef90f',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.735477Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b30-706a-842b-5ffeb0714e19',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.736590Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b35-7713-a4f3-bc36def02455',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.742082Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b37-7336-bb67-f7cc94c80da8',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.743427Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b38-721d-9959-470cc01ca1e6',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Python 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.744291Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b39-721f-a847-db50f334d169',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 1","body":"","column":"todo","position":1.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.745082Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b3e-7605-9ee5-a1b35fa29288',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 2","body":"","column":"todo","position":2.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.750666Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b3f-73f7-b9ea-e771858b4e08',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 3","body":"","column":"todo","position":3.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.752052Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b40-71ca-86a9-548c683c0a0e',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 4","body":"","column":"todo","position":4.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.753056Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b46-7575-a1c3-72561402c5d9',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 5","body":"","column":"todo","position":5.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.758748Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b47-7626-8674-bf9e6c86f485',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 6","body":"","column":"todo","position":6.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.759844Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b48-754d-ab8d-fa2d6f3e97ef',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 7","body":"","column":"todo","position":7.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.760603Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b49-7724-9ea8-233dbaa71faa',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 8","body":"","column":"todo","position":8.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.765589Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b4f-759b-95a8-b63a2dcf64f4',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 9","body":"","column":"todo","position":9.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.767149Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b4f-759b-95a8-b63baa8b398b',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 10","body":"","column":"todo","position":10.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.768065Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b50-7637-82d9-fe4b6939ba00',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 11","body":"","column":"todo","position":11.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.768886Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b56-70a3-9913-b5a445eb11e2',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 12","body":"","column":"todo","position":12.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.774392Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b57-7260-b0b4-e8c56dbe3a91',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 13","body":"","column":"todo","position":13.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.775583Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b58-72e1-b276-23e9f2bebd4c',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 14","body":"","column":"todo","position":14.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.776434Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b59-7354-96d3-1552f1f8516a',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 15","body":"","column":"todo","position":15.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.777239Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b5e-770e-a921-b1f35ab001da',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 16","body":"","column":"todo","position":16.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.782912Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b62-7624-9d86-781bf0891d40',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 17","body":"","column":"todo","position":17.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.786173Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b63-76dc-a7d9-003e72096e27',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 18","body":"","column":"todo","position":18.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.787221Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b63-76dc-a7d9-003fb3f7d9f2',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 19","body":"","column":"todo","position":19.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.788047Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b64-723e-a3be-79de0155e01e',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 20","body":"","column":"todo","position":20.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.788839Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b6a-7373-b2ff-f4f074751456',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 21","body":"","column":"todo","position":21.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.794186Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b6b-72b4-9750-20515b60bdf5',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 22","body":"","column":"todo","position":22.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.795548Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b6c-70ec-983b-71758768d565',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 23","body":"","column":"todo","position":23.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.796392Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b6d-74c9-94cf-edd14bcc9a10',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 24","body":"","column":"todo","position":24.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.797122Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b72-70e9-9de6-e5f721492046',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 25","body":"","column":"todo","position":25.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.802626Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b73-76a2-ad8a-70b336e33ff6',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 26","body":"","column":"todo","position":26.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.803705Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b74-7624-8b2d-7b8d303ae685',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 27","body":"","column":"todo","position":27.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.804566Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b79-7381-b59d-d88e87d6631a',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 28","body":"","column":"todo","position":28.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.809738Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b7b-7748-9ecb-d49cc6c693cf',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 29","body":"","column":"todo","position":29.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.811378Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b7c-7386-8e2d-5a8eb5264e0c',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 30","body":"","column":"todo","position":30.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.812377Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b7d-741c-a399-ba6b3df64870',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 31","body":"","column":"todo","position":31.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.813264Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b7e-715f-b532-aff96ad181e0',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"JavaScript 32","body":"","column":"todo","position":32.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.814146Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-7b87-71bb-8aed-52d8d37307cc',1,'01a22e01-7b7f-7465-98ac-ffd0d537c6a9','{"board":"01a22e01-7b7f-7465-98ac-ffd0d537c6a9","title":"Nobody else''s soon","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[],"labels":[],"created_at":"2026-11-30T19:49:38.823279Z"}',0,0);
INSERT INTO "records" VALUES('cards','01a22e01-c248-741a-a34a-56ba56ba0781',3,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","title":"Made by Ada","body":"","column":"todo","position":0.0,"votes":0,"due":null,"checklist":[{"text":"Ü – “ß”","done":true}],"labels":["01a22e01-593b-7599-bfc1-3e08caafb3cd"],"created_at":"2026-11-30T19:49:57.147598Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e01-5959-778a-8edb-ada11ea79015',1,'01a22e01-592b-775d-904d-9e49c643162f','{"card":"01a22e01-594f-789c-b5e2-405006100cd6","author":"grace","text":"It hums.","created_at":"2026-11-30T19:49:26.036153Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e01-5959-7d0a-a533-a0cda2d19059',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"card":"01a22e01-594f-74a6-acd8-2252fcb61ddb","author":"grace","text":"Mine is fastest.","created_at":"2026-11-30T19:49:26.071025Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e01-5959-7fd0-9a22-9e2c3a3277ac',1,'01a22e01-592b-775d-904d-9e49c643162f','{"card":"01a22e01-594f-783c-b8bd-22dec425ea14","author":"ada","text":"Tuesday or Thursday?","created_at":"2026-11-30T19:49:26.043774Z"}',0,0);
INSERT INTO "records" VALUES('comments','01a22e01-c261-7279-8713-46fc39b29586',1,'01a22e01-592b-775d-904d-9e49c643162f','{"card":"01a22e01-c248-741a-a34a-56ba56ba0781","author":"ada","text":"Made with it","created_at":"2026-11-30T19:49:57.263915Z"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e01-593b-7101-a1a0-69cc13cba072',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"board":"01a22e01-592b-79e8-958e-dbcf8b0a6a51","name":"idea","color":"#c4a000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e01-593b-7599-bfc1-3e08caafb3cd',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","name":"hardware","color":"#75507b"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e01-593b-7604-adf8-372eff2127aa',1,'01a22e01-592b-79e8-958e-dbcf8b0a6a51','{"board":"01a22e01-592b-79e8-958e-dbcf8b0a6a51","name":"measured","color":"#4e9a06"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e01-593b-7efd-a0b4-7c146b645321',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","name":"urgent","color":"#cc0000"}',0,0);
INSERT INTO "records" VALUES('labels','01a22e01-593b-7f2b-94b4-b1a735e7e465',1,'01a22e01-592b-775d-904d-9e49c643162f','{"board":"01a22e01-592b-775d-904d-9e49c643162f","name":"docs","color":"#4e9a06"}',0,0);
CREATE TABLE rejections (
    seq INTEGER PRIMARY KEY,
    mutation TEXT NOT NULL,
    problem TEXT NOT NULL
);
INSERT INTO "rejections" VALUES(8,'{"id":"01a22e01-ca58-75f3-b38f-ed902699ce80","seq":8,"op":"update","collection":"cards","object_id":"01a22e01-594f-76bd-8e0e-f2ef18ff2aa1","fields":{"title":"Ada may only look at this"},"base_revision":1,"epoch":"01a22e01-be47-7314-bc18-e76dbd9df358","base":null,"at":"2026-11-30T19:49:59.000605Z","state":"new"}','{"type":"urn:django-sync:error:permission_denied","title":"The user may not do this","status":403,"detail":"You may not write here.","code":"permission_denied"}');
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
