// RUN: lamina-opt %s -p 'te-dot4{axis=kg}' | filecheck %s
// RUN: lamina-opt %s -p 'te-dot4{axis=far}' --verify-diagnostics | filecheck %s --check-prefix FAR
// RUN: lamina-opt %s -p 'te-dot4{axis=ko}' --verify-diagnostics | filecheck %s --check-prefix EXTENT
// RUN: lamina-opt %s -p 'te-dot4{axis=both}' --verify-diagnostics | filecheck %s --check-prefix SIGNED
// RUN: lamina-opt %s -p 'te-dot4{axis=edge}' --verify-diagnostics | filecheck %s --check-prefix PADDED
// RUN: lamina-opt %s -p 'te-dot4{axis=cut}' --verify-diagnostics | filecheck %s --check-prefix BOUNDED

// RUN: lamina-opt %s -p 'te-dot4{axis=read}' --verify-diagnostics | filecheck %s --check-prefix READ

// READ: te-dot4: need inputs at known places, but 'i' is an integer that is read (@integers_are_refused)
// FAR: te-dot4: 'far' must walk over neighbours in both inputs, got [far, o] with steps 1, 0 (@bytes_far_apart_are_refused)
// EXTENT: te-dot4: need a plain reduce axis of extent 4, got 'reduce ko: 8' (@four_bytes_become_one_product)
// SIGNED: te-dot4: need a body acc + zext(a) * sext(b) of bytes in i32, got arith.extsi, arith.extsi, arith.muli, arith.addi, te.yield
// PADDED: te-dot4: [edge + i * 4 - 1] pad 0.0 may read padding: give the buffer a halo
// BOUNDED: te-dot4: 'cut + k * 4' bounds 'cut': pad that dimension in the layout

// CHECK-LABEL: @four_bytes_become_one_product
// CHECK: axes(o: 16, reduce ko: 8)
// CHECK-NEXT: ins(%x[ko * 4], %w[ko, o, 0])
// CHECK: (%a: vector<4xi8>, %b: vector<4xi8>, %acc: i32) {
// CHECK-NEXT: %[[R:.*]] = int8.dot4 %acc, %a, %b : i32, vector<4xi8>, vector<4xi8>
// CHECK-NEXT: te.yield %[[R]] : i32
func.func @four_bytes_become_one_product(%x: memref<32xi8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce ko: 8, reduce kg: 4)
    ins(%x[ko * 4 + kg], %w[(ko * 4 + kg) floordiv 4, o, (ko * 4 + kg) mod 4]) out(%y[o]) init 0 : i32
    : memref<32xi8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// What is known of the signed bytes is now known of the product; other attributes stay.
// CHECK-LABEL: @bounds_go_with_the_bytes
// CHECK: attributes {lamina.other = "x"}
// CHECK: int8.dot4 %acc, %a, %b {lamina.abs_b = 64 : i64, lamina.pair_b = 100 : i64}
func.func @bounds_go_with_the_bytes(%x: memref<32xi8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce ko: 8, reduce kg: 4)
    ins(%x[ko * 4 + kg], %w[ko, o, kg]) out(%y[o]) init 0 : i32
    attributes {lamina.abs_b = 64 : i64, lamina.other = "x", lamina.pair_b = 100 : i64}
    : memref<32xi8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// The unsigned side comes first in the product, whichever input it is.
// CHECK-LABEL: @operands_may_stand_in_any_order
// CHECK: (%w_1: vector<4xi8>, %x_1: vector<4xi8>, %acc: i32) {
// CHECK-NEXT: int8.dot4 %acc, %x_1, %w_1
func.func @operands_may_stand_in_any_order(%x: memref<4xi8>, %w: memref<16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce kg: 4) ins(%w[o, kg], %x[kg]) out(%y[o]) init 0 : i32
    : memref<16x4xi8>, memref<4xi8>, memref<16xi32>
    (%w_1: i8, %x_1: i8, %acc: i32) {
      %ax = arith.extui %x_1 : i8 to i32
      %bx = arith.extsi %w_1 : i8 to i32
      %p = arith.muli %bx, %ax : i32
      %s = arith.addi %p, %acc : i32
      te.yield %s : i32
    }
  func.return
}

// CHECK-LABEL: @bytes_far_apart_are_refused
// CHECK: axes(o: 16, reduce far: 4)
func.func @bytes_far_apart_are_refused(%x: memref<4xi8>, %w: memref<4x16xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce far: 4) ins(%x[far], %w[far, o]) out(%y[o]) init 0 : i32
    : memref<4xi8>, memref<4x16xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// CHECK-LABEL: @two_signed_sides_are_refused
// CHECK: axes(o: 16, reduce both: 4)
func.func @two_signed_sides_are_refused(%x: memref<4xi8>, %w: memref<16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce both: 4) ins(%x[both], %w[o, both]) out(%y[o]) init 0 : i32
    : memref<4xi8>, memref<16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extsi %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// CHECK-LABEL: @padding_and_bounds_are_refused
// CHECK: axes(i: 4, reduce edge: 4)
func.func @padding_and_bounds_are_refused(%x: memref<15xi8>, %w: memref<4xi8>, %y: memref<4xi32>) {
  te.compute axes(i: 4, reduce edge: 4) ins(%x[i * 4 + edge - 1] pad 0.0, %w[edge]) out(%y[i]) init 0 : i32
    : memref<15xi8>, memref<4xi8>, memref<4xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  te.compute axes(i: 4, reduce k: 4, reduce cut: 4) where k * 4 + cut < 15 ins(%x[k * 4 + cut], %w[cut]) out(%y[i]) init 0 : i32
    : memref<15xi8>, memref<4xi8>, memref<4xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// CHECK-LABEL: @integers_are_refused
// CHECK: axes(o: 4, reduce read: 4)
func.func @integers_are_refused(%at: memref<4xi32>, %x: memref<8x4xi8>, %w: memref<4x4xi8>, %y: memref<4xi32>) {
  te.compute axes(o: 4, reduce read: 4) ins(%at[o] as i: 8, %x[i, read], %w[o, read]) out(%y[o]) init 0 : i32
    : memref<4xi32>, memref<8x4xi8>, memref<4x4xi8>, memref<4xi32>
    (%i: i32, %a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// A bound that cuts no group is one on groups.
// CHECK-LABEL: @bound_between_groups
// CHECK: axes(o: 16, reduce ko: 8) where ko * 4 + 8 < 28
// CHECK-NEXT: ins(%x[ko * 4], %w[ko, o, 0])
func.func @bound_between_groups(%x: memref<20xi8>, %w: memref<5x16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce ko: 8, reduce kg: 4) where ko * 4 + kg + 8 < 28
    ins(%x[ko * 4 + kg], %w[ko, o, kg]) out(%y[o]) init 0 : i32
    : memref<20xi8>, memref<5x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}
