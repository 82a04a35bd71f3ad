CREATE DATABASE `database`;
CREATE TABLE `database`.events (
    id INT AUTO_INCREMENT PRIMARY KEY,
    message VARCHAR(1000) CHARACTER SET utf8mb4 NOT NULL
);
CREATE USER 'username'@'localhost' IDENTIFIED BY 'password';
GRANT ALL ON `database`.* TO 'username'@'localhost';
