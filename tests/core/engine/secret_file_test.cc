#include "engine/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "config_fixture.h"
#include "engine/config_keys.h"

namespace tickwire {
namespace {

class SecretInAFile : public ConfigFile {
 protected:
  std::string write(const std::string& content, mode_t mode = 0600) {
    const std::string path = (folder_ / "token").string();
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static Result<Config> load_token(const std::string& path) {
    return load_sets({"auth.admin_token_file=" + path});
  }
};

TEST_F(SecretInAFile, IsItsLineWithoutTheLineBreak) {
  for (const char* content : {"s3cret", "s3cret\n", "s3cret\r\n"}) {
    const auto config = load_token(write(content));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->auth_admin_token.reveal(), "s3cret");
    EXPECT_TRUE(config->warnings.empty());
  }
  EXPECT_EQ(load_token(write(" s3cret \n"))->auth_admin_token.reveal(), " s3cret ");
}

TEST_F(SecretInAFile, NamesTheFileAsTheSourceAndShowsNothingOfIt) {
  const std::string path = write("s3cret\n");
  const auto config = load_token(path);
  ASSERT_TRUE(config);
  EXPECT_EQ(entry_of(*config, "auth.admin_token").value, R"("***")");
  EXPECT_EQ(entry_of(*config, "auth.admin_token").source, path);
  EXPECT_EQ(entry_of(*config, "auth.admin_token_file").value, '"' + path + '"');
  EXPECT_EQ(entry_of(*load_sets({}), "auth.admin_token").value, R"("")");
}

TEST_F(SecretInAFile, ThatCannotBeOneIsRefusedWithItsNameAndWithoutItsContent) {
  const std::string longest(kSecretBytesMax, 'x');
  EXPECT_EQ(load_token(write(longest + "\n"))->auth_admin_token.reveal(), longest);
  for (const auto& [content, why] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "is empty"},
           {"\n", "is empty"},
           {"hidden\nsecond", "must hold one line of text"},
           {"hidden\n\n", "must hold one line of text"},
           {"hidden\xFF", "is not UTF-8"},
           {longest + "x", "is longer than 8192 bytes"},
           {longest + "xxxxx\n", "is longer than 8192 bytes"}}) {
    const std::string message = message_of(load_token(write(content)));
    EXPECT_NE(message.find("auth.admin_token_file: " + path_.parent_path().string()), std::string::npos)
        << message;
    EXPECT_NE(message.find(why), std::string::npos) << message;
    EXPECT_EQ(message.find("hidden"), std::string::npos);
  }
  EXPECT_NE(message_of(load_token((folder_ / "none").string())).find("No such file"), std::string::npos);
  EXPECT_NE(message_of(load_token(folder_.string())).find("is a folder, not a file"), std::string::npos);
}

TEST_F(SecretInAFile, ThatOtherUsersMayReadIsTakenWithAWarning) {
  for (const mode_t mode : {0604U, 0620U, 0602U}) {
    const auto config = load_token(write("s3cret", mode));
    ASSERT_TRUE(config);
    ASSERT_EQ(config->warnings.size(), 1U) << mode;
    EXPECT_NE(config->warnings.front().find("chmod 600"), std::string::npos);
    EXPECT_EQ(config->warnings.front().find("s3cret"), std::string::npos);
  }
  EXPECT_TRUE(load_token(write("s3cret", 0640))->warnings.empty()) << "a group may be meant to read it";
}

TEST_F(SecretInAFile, IsNotTakenWhereTheSecretItselfIsSet) {
  const std::string path = write("s3cret");
  const std::string message =
      message_of(load_sets({"auth.admin_token_file=" + path, "auth.admin_token=other"}));
  EXPECT_NE(message.find("leave one out"), std::string::npos) << message;
  EXPECT_EQ(message.find("other"), std::string::npos) << message;
  EXPECT_TRUE(
      load_sets({"auth.admin_token_file=" + path, "auth.admin_token=other", "auth.admin_token_file="}));
}

TEST_F(SecretInAFile, EverySecretKeyHasAKeyForAFile) {
  for (const auto& key : config_keys()) {
    if (!key.is_secret()) continue;
    EXPECT_TRUE(std::ranges::any_of(config_keys(), [&](const auto& other) {
      return other.name == std::string(key.name) + "_file" && other.unit == "path";
    })) << key.name;
  }
}

TEST_F(SecretInAFile, NoErrorAboutASecretShowsIt) {
  const std::string message = message_of(load("[auth]\nadmin_token = 123456\n"));
  EXPECT_NE(message.find("must be a string, not number"), std::string::npos) << message;
  EXPECT_EQ(message.find("123456"), std::string::npos) << message;
}

TEST_F(SecretInAFile, WhatIsNamedLikeASecretOfAPluginIsHidden) {
  const auto config =
      load("[plugins.okx]\napi_key = 'k'\nAPI_SECRET = 's'\npassphrase = ''\nproducts = ['a']\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(entry_of(*config, "plugins.okx.api_key").value, R"("***")");
  EXPECT_EQ(entry_of(*config, "plugins.okx.API_SECRET").value, R"("***")");
  EXPECT_EQ(entry_of(*config, "plugins.okx.passphrase").value, R"("")");
  EXPECT_EQ(entry_of(*config, "plugins.okx.products").value, R"(["a"])");
  EXPECT_NE(config->plugins.at("okx").find(R"("api_key":"k")"), std::string::npos) << "the plugin gets it";
}

}  // namespace
}  // namespace tickwire
